"""What workflows do: one small module for each task, behind the contract of contract.py; registry.py knows them all."""
