"""What things cost: seconds, memory and operations, each workload in a fresh process."""
