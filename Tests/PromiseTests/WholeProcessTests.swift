// Promises that only whole processes can keep or break. One test at a time, so that each has the machine.

import Testing

/// The suite that all heavy suites belong to.
@Suite(.serialized) enum WholeProcesses {}
