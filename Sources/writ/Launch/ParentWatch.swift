// The other end of a child's leash.

import Foundation

/// Stops this process once the one that started it is gone.
enum ParentWatch {
  /// Reads standard input on a thread of its own; at its end this process gets SIGTERM, and a few
  /// seconds later is no more.
  static func begin(patience seconds: UInt32 = 5) {
    let thread = Thread {
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count > 0 || (count < 0 && errno == EINTR) { continue }
        break
      }
      kill(getpid(), SIGTERM)
      sleep(seconds)
      _exit(ExitStatus.terminated.rawValue)
    }
    thread.stackSize = 256 * 1024
    thread.start()
  }
}
