// What can be wrong with a database besides what PostgreSQL itself reports.

/// The database and this program do not fit together.
public struct JobStoreError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of misfit; more kinds may come.
  public struct Code: Sendable, Hashable {
    /// The kind in a few words without spaces, fit for a metric's label.
    public let description: String

    /// The database was migrated by a newer program.
    public static let newerDatabase = Self(description: "newer_database")
    /// A migration that was applied is not the one that this program carries.
    public static let changedMigration = Self(description: "changed_migration")
    /// Other transactions keep the tables in use, so that they cannot be changed.
    public static let tablesInUse = Self(description: "tables_in_use")
    /// A statement that returns a row always returned none.
    public static let missingRow = Self(description: "missing_row")
    /// A stored document cannot be read by this program.
    public static let unreadableDefinition = Self(description: "unreadable_definition")
    /// A definition cannot be expressed in SQL.
    public static let unpublishable = Self(description: "unpublishable")
    /// A stored JSON value does not have its form.
    public static let unreadableRow = Self(description: "unreadable_row")
  }

  /// What kind of misfit.
  public let code: Code
  /// What is wrong and what to do, without values.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
