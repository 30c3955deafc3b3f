// The job types of the tests, as `writ.publish_job_type` takes them.

import JSON

enum JobTypes {
  static let all = [createUser(), changePlan, ping, limited]

  static func createUser(
    hash: String = "aa", extra: [JSONValue] = [], replay: String = "safe"
  ) -> JSONValue {
    type(
      "create_user", hash: hash,
      inputs: [
        [
          "name": "email", "kind": "email", "required": true, "normalize": "email",
          "record": "digest",
        ],
        ["name": "name", "kind": "string", "min_length": 2, "max_length": 10],
        ["name": "plan", "kind": "string", "enum": ["free", "pro"], "record": "clear"],
      ] + extra, subject: [["literal": "email:"], ["input": "email"]], replay: replay)
  }

  static let changePlan = type(
    "change_plan", hash: "bb",
    inputs: [
      ["name": "plan", "kind": "string", "required": true],
      ["name": "user_id", "kind": "uuid", "required": true, "record": "clear"],
      ["name": "seats", "kind": "integer", "minimum": 1, "maximum": 100],
      ["name": "ratio", "kind": "number"],
      ["name": "ends_at", "kind": "date_time"],
      ["name": "tags", "kind": "string_array", "min_items": 1, "max_items": 2],
      ["name": "members", "kind": "uuid_array"],
      ["name": "sizes", "kind": "integer_array"],
      ["name": "notify", "kind": "boolean"],
      ["name": "link", "kind": "uri"],
      ["name": "code", "kind": "string", "pattern": "^[A-Z]{3}$"],
      ["name": "extra", "kind": "json"],
      ["name": "details", "kind": "json", "json_type": "object"],
      ["name": "lines", "kind": "json", "json_type": "array"],
    ], subject: [["literal": "user:"], ["input": "user_id"]], replay: "review")

  static let ping = type("ping", hash: "cc", inputs: [], subject: nil, replay: "never")

  static let limited = type(
    "limited", hash: "dd", inputs: [], subject: nil, replay: "safe", concurrency: 2)

  static func type(
    _ name: String, hash: String, inputs: [JSONValue], subject: JSONValue?, replay: String,
    concurrency: Int? = nil, rate: JSONValue = .null, deadlineSeconds: Int? = nil,
    keyWindowSeconds: Int? = nil, targets: [String] = []
  ) -> JSONValue {
    [
      "name": .string(name), "description": "For tests",
      "hash": .string(String(repeating: hash, count: 32)),
      "arazzo_path": .string("\(name).arazzo.yaml"), "arazzo": "text",
      "sources": [["path": .string("\(name).arazzo.yaml"), "text": "text"]],
      "inputs": .array(inputs), "subject": subject ?? .null, "max_attempts": 3,
      "concurrency": JSONValue(concurrency), "rate": rate,
      "deadline_seconds": JSONValue(deadlineSeconds),
      "key_window_seconds": JSONValue(keyWindowSeconds), "replay": .string(replay),
      "targets": .array(targets.map { .string($0) }),
    ]
  }
}
