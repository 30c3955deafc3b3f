// Log messages on standard error: a line of text for people, a line of JSON for programs.

import Foundation
import JSON
import Logging

/// Writes each message as one line, with its metadata in the order of its names.
struct LineLogHandler: LogHandler {
  /// Text or JSON.
  enum Format: Sendable, Hashable { case text(usesColour: Bool), json }

  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel: Logger.Level
  private let label: String
  private let format: Format
  private let now: @Sendable () -> Date
  private let write: @Sendable (String) -> Void

  init(
    label: String, level: Logger.Level, format: Format,
    now: @escaping @Sendable () -> Date = { Date() }, write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    logLevel = level
    self.format = format
    self.now = now
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var merged = metadata
    for (key, value) in metadataProvider?.get() ?? [:] { merged[key] = value }
    for (key, value) in event.metadata ?? [:] { merged[key] = value }
    let sorted = merged.sorted { $0.key < $1.key }
    switch format {
    case .text(let usesColour): write(text(event, sorted, usesColour) + "\n")
    case .json: write(json(event, sorted).serialized() + "\n")
    }
  }

  private func text(
    _ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)],
    _ usesColour: Bool
  ) -> String {
    let level = event.level.rawValue.padded(to: 7)
    let style: Style? =
      switch event.level {
      case .critical, .error: .red
      case .warning: .yellow
      case .notice, .info: nil
      case .debug, .trace: .dim
      }
    let fields = metadata.map { " \($0.key)=\(Self.quoted($0.value.description))" }.joined()
    return "\(Timestamps.text(now())) \(style?.applied(to: level, if: usesColour) ?? level) "
      + event.message.description.printable + Style.dim.applied(to: fields, if: usesColour)
  }

  private func json(
    _ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]
  ) -> JSONValue {
    var object = JSONObject([
      ("time", .string(Timestamps.text(now()))), ("level", .string(event.level.rawValue)),
      ("message", .string(event.message.description)), ("logger", .string(label)),
    ])
    for (key, value) in metadata where object[key] == nil { object[key] = Self.json(value) }
    return .object(object)
  }

  private static func json(_ value: Logger.MetadataValue) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .stringConvertible(let value): .string(value.description)
    case .array(let values): .array(values.map(json))
    case .dictionary(let values):
      .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
    }
  }

  private static func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && !text.contains { $0.isWhitespace || $0 == "\"" || $0 == "=" }
    return isPlain ? text.printable : JSONValue.string(text).serialized()
  }
}

/// Moments as ISO 8601 in UTC.
enum Timestamps {
  /// With milliseconds: `2026-05-02T10:14:07.120Z`.
  static func text(_ date: Date) -> String {
    date.formatted(
      Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: TimeZone.gmt))
  }
}
