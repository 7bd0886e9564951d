"""What the tests stand on: real servers, a database for each worker, a clock, a broker, a mail server, processes."""
