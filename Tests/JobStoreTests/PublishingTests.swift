// Publishing: functions follow the definition, grants and old jobs stay.

import Arazzo
import JSON
import Postgres
import Testing

@testable import JobStore

@Suite struct PublishingTests {
  @Test func `publishing a changed type keeps grants and the definitions of old jobs`() async throws
  {
    try await TestDatabase.with { database in
      try await database.store.grant(jobType: "create_user", to: "app_one")
      let old = try await database.number("select writ.create_user('a@b.cd')")
      let changed = JobTypes.createUser(
        hash: "ee", extra: [["name": "team_id", "kind": "uuid", "required": true]])
      for expected in [true, false] {
        let row = try await database.sql(
          "select writ.publish_job_type($1)", [.json(changed.serialized())])[0]
        #expect(try row.decode(0) == expected)
      }
      let new: Int = try await database.asRole("app_one") { pool in
        try await pool.query(
          "select writ.create_user('0a000000-0000-4000-8000-000000000001', 'b@b.cd')")[0].decode(0)
      }
      let hashes = try await database.sql(
        "select left(definition_hash, 4) from writ.job where id in ($1, $2) order by id",
        [.int(old), .int(new)]
      ).map { try $0.decode(0, as: String.self) }
      #expect(hashes == ["aaaa", "eeee"])
      let error = try await database.refusal("select writ.create_user(email => 'c@b.cd')")
      #expect(error.serverMessage == "create_user: team_id is required")
      #expect(try await database.number("select count(*) from writ.definition") == 5)
    }
  }

  @Test func `the catalogue of this program can be published and read back`() async throws {
    try await TestDatabase.withEmpty { database in
      try await Migrator(pool: database.pool).migrate()
      let catalogue = try Catalogue.load(files: EmbeddedCatalogue.documents)
      try #require(!catalogue.jobTypes.isEmpty)
      for definition in catalogue.jobTypes {
        #expect(try await database.store.publish(definition))
        #expect(try await !database.store.publish(definition))
        let published = try await database.store.jobTypes().first { $0.name == definition.name }
        #expect(published?.isUpToDate(with: definition) == true)
        #expect(try await database.store.definition(hash: definition.hash) == definition)
        #expect(try await database.store.definition(type: definition.name) == definition)
      }
      #expect(try await database.store.definition(hash: "none") == nil)
      #expect(
        try await database.store.jobTypes().map(\.name) == catalogue.jobTypes.map(\.name).sorted())
      let id = try await database.store.enqueue(
        type: "create_user", payload: ["email": "ada@example.com"])
      #expect(try await database.store.job(id)?.summary.state == "available")
    }
  }

  @Test func `the same document is published again where this program reads its inputs otherwise`()
    async throws
  {
    try await TestDatabase.with { database in
      func publish(_ input: JSONValue) async throws -> Bool {
        let type = JobTypes.type("note", hash: "99", inputs: [input], subject: nil, replay: "safe")
        return try await database.sql(
          "select writ.publish_job_type($1)", [.json(type.serialized())])[0].decode(0)
      }
      #expect(try await publish(["name": "data", "kind": "json", "required": true]))
      _ = try await database.number("select writ.note(data => '3')")
      try await database.store.grant(jobType: "note", to: "app_one")
      let checked: JSONValue = [
        "name": "data", "kind": "json", "required": true, "json_type": "object",
      ]
      #expect(try await publish(checked))
      #expect(try await !publish(checked))
      let error = try await database.refusal("select writ.note(data => '3')", as: "app_one")
      #expect(error.serverMessage == "note: data must be an object")
      #expect(error.hint == "Pass a JSON object.")
      let missing = try await database.refusal("select writ.note(data => 'null'::jsonb)")
      #expect(missing.serverMessage == "note: data is required")
      _ = try await database.number("select writ.note(data => '{}')")
    }
  }

  @Test(arguments: [
    (
      "Bad Name", "name",
      "job type: the name must be a lower-case letter, then at most 47 lower-case letters, digits or _"
    ),
    ("status", "name", "status: the name is taken by a function of schema writ"),
    (
      "x\"; drop table y; --", "input",
      "t: the name of an input must be a lower-case letter, then lower-case letters, digits or _"
    ),
    ("priority", "input", "t: an input must not be named priority"),
    ("(?<=a)b", "pattern", "t: the pattern of field is outside the supported subset"),
    ("a\\1", "pattern", "t: the pattern of field is outside the supported subset"),
    ("(", "pattern", "t: the pattern of field is outside the supported subset"),
    ("[[:alpha:]]", "pattern", "t: the pattern of field is outside the supported subset"),
    ("strange", "kind", "t: the kind of field is not known"),
    ("number", "json_type", "t: the json_type of field must be object or array, of kind json"),
    (
      "missing", "subject",
      "t: the subject must be made from required inputs that are no lists or objects"
    ),
  ]) func `a definition that cannot become a function is refused`(
    value: String, place: String, message: String
  ) async throws {
    var input = JSONObject([
      ("name", .string(place == "input" ? value : "field")),
      ("kind", .string(place == "kind" ? value : "string")),
      ("pattern", .string(place == "pattern" ? value : "^a$")),
    ])
    if place == "json_type" { input["json_type"] = .string(value) }
    let type = JobTypes.type(
      place == "name" ? value : "t", hash: "99", inputs: [.object(input)],
      subject: place == "subject" ? [["input": .string(value)]] : nil, replay: "safe")
    try await TestDatabase.with { database in
      let error = await #expect(throws: PostgresError.self) {
        try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      }
      #expect(error?.sqlState == "WR009")
      #expect(error?.serverMessage == message)
    }
  }

  @Test func `names of types and inputs never meet names of our own`() async throws {
    try await TestDatabase.with { database in
      for (name, inputs) in [
        ("x", [["name": "payload", "kind": "string"], ["name": "e", "kind": "integer_array"]]),
        ("json_x", [["name": "key", "kind": "uuid_array"]]), ("body", []), ("json_body", []),
      ] as [(String, [JSONValue])] {
        let type = JobTypes.type(
          name, hash: name == "x" ? "91" : "\(90 + name.count)", inputs: inputs, subject: nil,
          replay: "safe")
        try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      }
      for call in [
        "writ.enqueue('x', '{\"payload\": \"p\", \"e\": [1]}')",
        "writ.enqueue('json_x', '{\"key\": [\"0a000000-0000-4000-8000-000000000001\"]}')",
        "writ.enqueue('body', '{}')", "writ.enqueue('json_body', '{}')",
      ] {
        #expect(try await database.number("select \(call)") > 0)
      }
      let error = try await database.refusal("select writ.enqueue('json_x', '{\"no\": 1}')")
      #expect(error.serverMessage == "json_x: unknown field no")
    }
  }

  @Test func `types of an older generator stay orderable, with their grants`() async throws {
    try await TestDatabase.with { database in
      try await database.store.grant(jobType: "create_user", to: "app_one")
      // As a database looks that was migrated from before the last change of the generator.
      try await database.pool.withConnection { connection in
        try connection.executeScript(
          """
          do $$ declare f regprocedure; begin
            for f in
              select p.oid from pg_proc as p where p.proname in ('json_ping', 'enqueue_ping', 'ping')
            loop execute 'drop function ' || f; end loop;
          end $$;
          update writ_data.job_type set generator = 1, signature = 'old';
          create function writ.ping(run_at timestamptz) returns bigint language sql as 'select 1';
          """)
      }
      #expect(try await database.refusal("select writ.enqueue('ping', '{}')").sqlState != "WR002")
      #expect(try await database.number("select writ_data.regenerate_types()") == 4)
      #expect(try await database.number("select writ.enqueue('ping', '{}')") > 0)
      #expect(try await database.number("select writ.ping(expires_at => now() + '1 day')") > 0)
      let id: Int = try await database.asRole("app_one") { pool in
        try await pool.query("select writ.create_user('a@b.cd')")[0].decode(0)
      }
      #expect(id > 0)
      #expect(try await database.number("select writ_data.regenerate_types()") == 0)
      let hash: String = try await database.sql(
        "select definition_hash from writ.job_type where name = 'ping'")[0].decode(0)
      #expect(hash == String(repeating: "cc", count: 32))
    }
  }

  @Test func `texts of a definition are never run as SQL`() async throws {
    let nasty = "'); drop table writ_data.job; -- $$ $function$ \\ %I"
    let type = JobTypes.type(
      "nasty", hash: "98",
      inputs: [
        [
          "name": "order", "kind": "string", "required": true,
          "enum": [.string(nasty), "it's", "{a,b}"], "description": .string(nasty),
        ],
        ["name": "end", "kind": "string", "default": .string(nasty)],
      ], subject: [["literal": .string(nasty)], ["input": "order"]], replay: "safe")
    try await TestDatabase.with { database in
      try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      let id = try await database.number("select writ.nasty($1)", [.text(nasty)])
      let row = try await database.sql(
        "select payload ->> 'order' as o, payload ->> 'end' as e, subject from writ.job where id = $1",
        [.int(id)])[0]
      #expect(try row.decode("o") == nasty)
      #expect(try row.decode("e") == nasty)
      #expect(try row.decode("subject") == nasty + nasty)
      #expect(try await database.number("select writ.nasty('it''s')") > id)
    }
  }
}
