"""The conductor: takes operations step by step until the cloud is as it should be."""
