"""What workflows, activities, API and commands share: names, ids, queues, messages."""
