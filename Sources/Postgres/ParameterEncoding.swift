// How bound values become bytes: the binary forms of `PQexecParams`, and the text forms of `COPY`.

/// The parameters of one call, laid out as libpq wants them (libpq manual, `PQexecParams`).
struct EncodedParameters {
  var types: [UInt32] = []
  /// Where each value begins in `bytes`; nil is a null.
  var offsets: [Int?] = []
  var lengths: [Int32] = []
  /// 0 for text, which ends with a zero byte; 1 for binary.
  var formats: [Int32] = []
  var bytes: [UInt8] = []

  /// - Throws: ``PostgresError/Code/misuse`` for what PostgreSQL cannot hold; the value is not
  ///   named.
  init(_ parameters: [PostgresParameter]) throws(PostgresError) {
    guard parameters.count <= 65_535 else {
      throw PostgresError(
        .misuse, "a statement takes at most 65535 parameters; use arrays with unnest")
    }
    for (index, parameter) in parameters.enumerated() {
      types.append(parameter.type.rawValue)
      try append(parameter, number: index + 1)
    }
  }

  private mutating func append(
    _ parameter: PostgresParameter, number: Int
  ) throws(PostgresError) {
    let start = bytes.count
    switch parameter.value {
    case .null:
      offsets.append(nil)
      lengths.append(0)
      formats.append(1)
      return
    case .text(let text):
      bytes.append(contentsOf: text.utf8)
      guard !bytes[start...].contains(0) else {
        throw PostgresError(
          .misuse, "parameter $\(number) contains a zero byte, which PostgreSQL text cannot hold")
      }
      formats.append(0)
    case .array(let elements, let element):
      // A uuid has a text form only, so its arrays are sent as text; all others are binary.
      if element == .uuid {
        bytes.append(contentsOf: parameter.textForm.utf8)
        formats.append(0)
      } else {
        bytes.append(array: elements, of: element)
        formats.append(1)
      }
    default:
      bytes.append(binary: parameter.value)
      formats.append(1)
    }
    offsets.append(start)
    lengths.append(Int32(clamping: bytes.count - start))
    if formats.last == 0 { bytes.append(0) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(integer value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// The form that the type's `recv` function reads.
  fileprivate mutating func append(binary value: PostgresParameter.Value) {
    switch value {
    case .null: break
    case .bool(let bool): append(bool ? 1 : 0)
    case .integer(let integer, width: 2): append(integer: Int16(truncatingIfNeeded: integer))
    case .integer(let integer, width: 4): append(integer: Int32(truncatingIfNeeded: integer))
    case .integer(let integer, width: _): append(integer: integer)
    case .double(let double): append(integer: double.bitPattern)
    case .text(let text): append(contentsOf: text.utf8)
    case .timestamp(let moment): append(integer: moment.microseconds)
    case .json(let text):
      append(1)  // the version of jsonb's binary form
      append(contentsOf: text.utf8)
    case .bytes(let bytes): append(contentsOf: bytes)
    case .array(let elements, let element): append(array: elements, of: element)
    }
  }

  /// `array_recv`: dimensions, whether there are nulls, element type, then length and lower bound
  /// of each dimension, then each element after its length (-1 is null).
  fileprivate mutating func append(
    array elements: [PostgresParameter], of element: TypeIdentifier
  ) {
    append(integer: Int32(elements.isEmpty ? 0 : 1))
    append(integer: Int32(0))
    append(integer: element.rawValue)
    guard !elements.isEmpty else { return }
    append(integer: Int32(clamping: elements.count))
    append(integer: Int32(1))
    for item in elements {
      if case .null = item.value {
        append(integer: Int32(-1))
        continue
      }
      let start = count
      append(integer: Int32(0))
      append(binary: item.value)
      let length = UInt32(truncatingIfNeeded: count - start - 4)
      for place in 0..<4 {
        self[start + place] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(place)))
      }
    }
  }
}

extension PostgresParameter {
  /// The form that the type's input function reads; empty for a null.
  var textForm: String {
    switch value {
    case .null: ""
    case .bool(let bool): bool ? "t" : "f"
    case .integer(let integer, width: _): String(integer)
    case .double(let double):
      double.isNaN
        ? "NaN" : double.isInfinite ? (double < 0 ? "-Infinity" : "Infinity") : "\(double)"
    case .text(let text), .json(let text): text
    case .timestamp(let moment): moment.description
    case .bytes(let bytes): "\\x" + hexadecimal(bytes)
    case .array(let elements, element: _):
      "{" + elements.map(\.arrayElementForm).joined(separator: ",") + "}"
    }
  }

  /// Always quoted, so that no element can be mistaken for syntax or for NULL (manual, section
  /// 8.15.2).
  private var arrayElementForm: String {
    if case .null = value { return "NULL" }
    var form = "\""
    for character in textForm.unicodeScalars {
      if character == "\"" || character == "\\" { form.append("\\") }
      form.unicodeScalars.append(character)
    }
    return form + "\""
  }

  /// The field in the text format of `COPY` (manual, `COPY`, "Text Format"): `\N` for null, and a
  /// backslash before what would end a field or a row.
  func appendCopyField(to bytes: inout [UInt8]) {
    if case .null = value {
      bytes.append(contentsOf: "\\N".utf8)
      return
    }
    for byte in textForm.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
      case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
      case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
      default: bytes.append(byte)
      }
    }
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
    for (index, byte) in bytes.enumerated() {
      buffer[2 * index] = digits[Int(byte >> 4)]
      buffer[2 * index + 1] = digits[Int(byte & 15)]
    }
    return bytes.count * 2
  }
}
