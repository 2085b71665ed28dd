"""What an exercise may not call, found by reading the student's code and by watching it run; best effort, both."""
