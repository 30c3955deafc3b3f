// Why a private cluster could not be had, in one sentence that says what to do.

/// A private PostgreSQL cluster could not be made, started or stopped.
public struct PostgresClusterError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is; more kinds may come.
  public struct Code: Hashable, Sendable {
    private let name: String

    /// PostgreSQL's programs, or `setpriv`, are not installed where we looked.
    public static let programsMissing = Self(name: "programsMissing")
    /// Another process has the directory's cluster.
    public static let inUse = Self(name: "inUse")
    /// The directory cannot be used: rights, version, or something else is in it.
    public static let directory = Self(name: "directory")
    /// A program of PostgreSQL failed.
    public static let failed = Self(name: "failed")
  }

  /// What kind of failure this is.
  public var code: Code
  /// What happened and what to do, in one sentence.
  public var description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
