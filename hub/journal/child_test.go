package journal_test

// childRole makes the test binary play another process; see runChild.
const childRole = "JOURNAL_TEST_CHILD"

func runChild(role string) int { panic(role) }
