// What was measured, as a table for people or JSON for programs.
import JSON

/// One scenario beside its floor.
struct Measurement {
  /// What was measured, for example `enqueue, 4 clients`.
  var name: String
  /// Jobs per second through Writ.
  var rate: Double
  /// Operations of the same shape per second in bare PostgreSQL.
  var floor: Double
  /// Rates of Writ in consecutive intervals, where they were kept.
  var course: [Double] = []
  /// Rates of the floor in consecutive intervals.
  var floorCourse: [Double] = []
}

/// All measurements of a run.
struct Report {
  private var measurements: [Measurement] = []

  mutating func add(_ measurement: Measurement) { measurements.append(measurement) }

  var table: String {
    let header = ["SCENARIO", "WRIT /S", "FLOOR /S", "OF FLOOR"]
    let rows = measurements.map { measurement in
      [
        measurement.name, Self.whole(measurement.rate), Self.whole(measurement.floor),
        Self.whole(100 * measurement.rate / measurement.floor) + " %",
      ]
    }
    let widths = (0..<4).map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
    let lines = ([header] + rows).map { row in
      zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
    }
    let courses = measurements.filter { !$0.course.isEmpty }.flatMap { measurement in
      [
        "", "\(measurement.name), jobs/s in consecutive intervals:",
        "  writ   " + measurement.course.map(Self.whole).joined(separator: " "),
        "  floor  " + measurement.floorCourse.map(Self.whole).joined(separator: " "),
      ]
    }
    return (lines + courses).joined(separator: "\n")
  }

  var json: String {
    JSONValue.array(
      measurements.map { measurement in
        .object(
          JSONObject([
            ("scenario", .string(measurement.name)),
            ("jobs_per_second", .number(JSONNumber(measurement.rate))),
            ("floor_per_second", .number(JSONNumber(measurement.floor))),
            ("course", .array(measurement.course.map { .number(JSONNumber($0)) })),
            ("floor_course", .array(measurement.floorCourse.map { .number(JSONNumber($0)) })),
          ]))
      }
    ).serialized()
  }

  private static func whole(_ value: Double) -> String { String(Int(value.rounded())) }
}
