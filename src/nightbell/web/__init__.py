"""What browsers and senders reach: pages, live updates and the entrance for webhooks."""
