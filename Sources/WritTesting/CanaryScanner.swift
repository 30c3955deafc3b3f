// Searches everything that a product leaves behind for planted secrets.

internal import Foundation

/// A secret where it should not be.
public struct CanaryFinding: Sendable, Hashable, CustomStringConvertible {
  /// The name of the canary.
  public var canary: String
  /// The form in which it appeared.
  public var form: Canary.Form
  /// Where: a file, a command line, an output.
  public var place: String
  /// The first offset, in bytes.
  public var offset: Int
  /// What stands around it, with the secret blotted out.
  public var surroundings: String

  /// One line without the secret.
  public var description: String {
    "\(canary) as \(form.rawValue) in \(place) at \(offset): \(surroundings)"
  }
}

/// Looks for canaries in bytes, files, directories, write-ahead log and command lines.
public struct CanaryScanner: Sendable {
  private struct Needle: Sendable {
    var canary: String
    var form: Canary.Form
    var bytes: [UInt8]
  }

  private let needles: [Needle]
  /// How many bytes were looked at, so that a scan of nothing is noticed.
  public private(set) var scannedBytes = 0
  /// What was found, at most one finding for each form of each canary in each place.
  public private(set) var findings: [CanaryFinding] = []

  /// A scanner for some canaries; of two with the same secret, the first one gives the name.
  public init(_ canaries: [Canary]) {
    var seen: Set<[UInt8]> = []
    needles = canaries.flatMap { canary in
      canary.needles.filter { seen.insert($0.bytes).inserted }
        .map { Needle(canary: canary.name, form: $0.form, bytes: $0.bytes) }
    }
  }

  /// Searches bytes.
  public mutating func scan(_ bytes: [UInt8], place: String) {
    bytes.withUnsafeBytes { scan($0, place: place) }
  }

  /// Searches lines of text.
  public mutating func scan(lines: [String], place: String) {
    scan(Array(lines.joined(separator: "\n").utf8), place: place)
  }

  /// Searches a file.
  public mutating func scan(file path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    data.withUnsafeBytes { scan($0, place: path) }
  }

  /// Searches every regular file below a directory; files that disappear meanwhile are passed over.
  ///
  /// - Parameter excluded: a directory in it that is left out.
  public mutating func scan(directory path: String, except excluded: String? = nil) throws {
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      if let excluded, name.hasPrefix("\(excluded)/") { continue }
      let file = "\(path)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
      do {
        try scan(file: file)
      } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
        continue
      }
    }
  }

  /// Searches the write-ahead log as the stream that it is: segments in order, the headers that interrupt
  /// records at every page taken out (PostgreSQL's `xlog_internal.h`: 24 bytes, 40 on the first page).
  public mutating func scan(writeAheadLog path: String, pageSize: Int = 8_192) throws {
    let segments = try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.utf8.count == 24 && $0.allSatisfy(\.isHexDigit) }.sorted()
    var stream: [UInt8] = []
    for segment in segments {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(segment)"))
      for page in stride(from: 0, to: data.count, by: pageSize) {
        let header = page == 0 ? 40 : 24
        stream += data[min(page + header, data.count)..<min(page + pageSize, data.count)]
      }
    }
    scan(stream, place: "\(path) (\(segments.count) segments)")
  }

  /// Searches the command lines of every process that can be seen, and says how many those were.
  @discardableResult
  public mutating func scanCommandLines() throws -> Int {
    let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc")
      .filter { $0.allSatisfy(\.isNumber) }
    var seen = 0
    for process in processes {
      // A process may end between the listing and the reading.
      guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
        continue
      }
      seen += 1
      scan(Array(bytes), place: "/proc/\(process)/cmdline")
    }
    return seen
  }

  /// Searches the environment of a process.
  public mutating func scan(environmentOf process: Int32) throws {
    let path = "/proc/\(process)/environ"
    guard let bytes = FileManager.default.contents(atPath: path) else { return }
    scan(Array(bytes), place: path)
  }

  private mutating func scan(_ haystack: UnsafeRawBufferPointer, place: String) {
    scannedBytes += haystack.count
    guard let base = haystack.baseAddress else { return }
    for needle in needles where needle.bytes.count <= haystack.count {
      let found = needle.bytes.withUnsafeBytes {
        findBytes(base, haystack.count, $0.baseAddress ?? base, $0.count)
      }
      guard let found else { continue }
      let offset = UnsafeRawPointer(found) - base
      findings.append(
        CanaryFinding(
          canary: needle.canary, form: needle.form, place: place, offset: offset,
          surroundings: Self.surroundings(haystack, offset, needle.bytes.count)))
    }
  }

  private static func surroundings(
    _ haystack: UnsafeRawBufferPointer, _ offset: Int, _ count: Int
  ) -> String {
    func text(_ range: Range<Int>) -> String {
      String(
        decoding: haystack[range.clamped(to: 0..<haystack.count)].map {
          (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".")
        }, as: UTF8.self)
    }
    return text((offset - 60)..<offset) + "█" + text((offset + count)..<(offset + count + 20))
  }
}

private typealias FindBytes =
  @convention(c) (UnsafeRawPointer, Int, UnsafeRawPointer, Int) -> UnsafeMutableRawPointer?

/// memmem(3), which Swift's Glibc module leaves out: hundreds of megabytes are to be searched in a debug build.
private let findBytes: FindBytes = {
  guard let symbol = dlsym(nil, "memmem") else { preconditionFailure("glibc has memmem(3)") }
  return unsafeBitCast(symbol, to: FindBytes.self)
}()
