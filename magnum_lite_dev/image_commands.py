"""What ``magnum-lite-dev image`` does."""

from magnum_lite_dev import fixture
from magnum_lite_dev.nodes import image, machine, recipe
from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import State
from magnum_lite_dev.trouble import Trouble

# The builder tells about so many steps.
STEPS = 9


def run(args, screen) -> int:
    """Run one verb; the exit status.

    :raises Trouble: what went wrong.
    """
    return VERBS[args.verb](args, State(args.state or args.default_state), screen)


def build(screen, state, wanted, **how) -> image.Image:
    """The image of a recipe in a state directory; the screen tells how it comes about.

    :param how: as :meth:`~magnum_lite_dev.nodes.image.Images.build`.
    :raises Trouble: it cannot be made.
    """
    watch, told = Stopwatch(), []

    def tell(text) -> None:
        told.append(text)
        screen.progress(min(len(told), STEPS), STEPS, 'steps', text, watch)

    made = image.Images(state.images).build(wanted, tell, **how)
    took = f'built after {watch}' if told else f'there already, {image.age(made)} old'
    screen.line(f'{made.name}: {took}, {made.mib} MiB', 'good')
    return made


def _build(args, state, screen) -> int:
    # First: who has no rights may not be able to read recipes either.
    machine.demand('this machine cannot build images', machine.lacks_for_images())
    wanted = recipe.read(args.recipe, args.recipes or recipe.RECIPES)
    state.prepare()
    made = build(screen, state, wanted, name=args.name, layers=args.layer, mirror=args.mirror)
    heat = fixture.read_ready(state.heat)
    if state.nodes == 'real' and heat and fixture.is_healthy(heat.heat_url):
        heat.add_image(made.name, made.directories, **made.properties)
    return 0


def _list(args, state, screen) -> int:
    found = image.Images(state.images).list()
    for each in found:
        words = [f'{each.mib} MiB', f'{image.age(each)} old', f'recipe {each.recipe}']
        words += [f'layer {path}' for path in each.layers]
        if each.trouble:
            words.append(screen.paint(each.trouble, 'bad'))
        elif image.is_outdated(each):
            words.append('the recipe has changed: "image build" makes it anew')
        screen.line(f'{each.name:<16}{", ".join(words)}')
    if not found:
        screen.line('no images: "magnum-lite-dev image build swarm" makes one')
    return 0


def _remove(args, state, screen) -> int:
    if not state.is_prepared:
        raise Trouble(f'there is no image {args.name} in {state.images}')
    image.Images(state.images).remove(args.name)
    screen.line(f'deleted {args.name}')
    return 0


VERBS = {'build': _build, 'list': _list, 'remove': _remove}
