// The thread that one connection lives on: a serial executor with a thread of its own, so that
// waiting for the server never holds up a thread that other tasks share.

internal import Glibc
internal import Synchronization

/// Runs the jobs of one actor, in order, on a thread that nothing else uses.
///
/// The thread keeps this object alive until it ends. It ends after ``stop()``, once its queue is
/// empty. No job can arrive after that: a job on an actor retains the actor, and the actor calls
/// `stop` from its `deinit`. Nothing keeps the object alive for the caller of ``enqueue(_:)``,
/// though: see there.
//
// `@unchecked`: `queue` is guarded by its mutex, and `ready` is a POSIX semaphore, made for
// sharing. It is destroyed in `deinit`, which cannot run before the thread has ended and
// every call of `enqueue` has returned.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
  private struct Queue {
    var jobs: [UnownedJob] = []
    var isStopping = false
  }

  private let queue = Mutex(Queue())
  private let ready: UnsafeMutablePointer<sem_t>
  private let beforeWaking: (@Sendable () -> Void)?

  /// Starts the thread.
  ///
  /// - Parameter beforeWaking: what runs in ``enqueue(_:)`` between the two steps that another
  ///   thread may come between; for tests.
  init(beforeWaking: (@Sendable () -> Void)? = nil) throws(PostgresError) {
    self.beforeWaking = beforeWaking
    ready = .allocate(capacity: 1)
    sem_init(ready, 0, 0)
    guard startThread({ self.runJobs() }) else {
      throw PostgresError(.resources, "the system refused a thread for a connection to PostgreSQL")
    }
  }

  deinit {
    sem_destroy(ready)
    ready.deallocate()
  }

  /// Takes a job to run; called by the concurrency runtime only.
  ///
  /// The runtime holds a reference to the actor in the job alone. As soon as the thread can see
  /// the job, it may run it to its end, drop the actor with it, end and free this object, all
  /// before the caller's next instruction. So the caller takes a reference of its own first.
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let own = Unmanaged.passRetained(self)
    defer { own.release() }
    queue.withLock { $0.jobs.append(job) }
    beforeWaking?()
    sem_post(ready)
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  /// Lets the thread end after the jobs it already has.
  func stop() {
    queue.withLock { $0.isStopping = true }
    sem_post(ready)
  }

  private func runJobs() {
    while true {
      let (jobs, isStopping) = queue.withLock { queue in
        defer { queue.jobs.removeAll(keepingCapacity: true) }
        return (queue.jobs, queue.isStopping)
      }
      for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
      if jobs.isEmpty {
        if isStopping { return }
        while sem_wait(ready) != 0 {}  // EINTR is the only failure
      }
    }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread with every signal blocked, so that signals reach the threads that
/// expect them.
///
/// - Returns: whether the system gave us the thread.
func startThread(_ run: @escaping @Sendable () -> Void) -> Bool {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  pthread_attr_setstacksize(&attributes, 1 << 20)

  var all = sigset_t()
  var previous = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_BLOCK, &all, &previous)
  defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }

  let body = Unmanaged.passRetained(ThreadBody(run))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, &attributes,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, body.toOpaque())
  if status != 0 { body.release() }
  return status == 0
}
