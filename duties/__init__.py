"""What workflows, activities, API and CLI share: names, ids, queues, arguments, results."""
