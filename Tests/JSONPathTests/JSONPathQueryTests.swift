// What queries select: each row is a query and the values that RFC 9535 says it selects.

import JSON
import JSONPath
import Testing

@Suite struct JSONPathQueryTests {
  /// A warehouse with some odd corners.
  static let warehouse = """
    {
      "name": "north",
      "open": true,
      "manager": null,
      "bins": [
        {"id": "b1", "kg": 12, "goods": ["nut", "bolt"], "at": {"row": 1}},
        {"id": "b2", "kg": 7.5, "goods": []},
        {"id": "b3", "kg": 12.0, "goods": ["Nut"], "at": {"row": 2}},
        {"id": "b4", "goods": ["wire", "nut", "tube"]}
      ],
      "limits": {"kg": 12, "row's": 3, "a.b": 4, "\\u00e9": 5},
      "codes": ["N-10", "S-7", "N-007", 8, {"N-10": 1}, "x\\nN-1"]
    }
    """

  static let selections: [(String, String)] = [
    // Names, in all their spellings (2.3.1).
    ("$.name", #"["north"]"#),
    ("$['name']", #"["north"]"#),
    (#"$["name"]"#, #"["north"]"#),
    ("$ .name", #"["north"]"#),
    ("$[ 'name' , 'open' ]", #"["north",true]"#),
    ("$['name','name']", #"["north","north"]"#),
    (#"$.limits['row\'s']"#, "[3]"),
    (#"$.limits["row's"]"#, "[3]"),
    ("$.limits['a.b']", "[4]"),
    ("$.limits.a.b", "[]"),
    (#"$.limits['\u00e9']"#, "[5]"),
    ("$.limits.\u{e9}", "[5]"),
    ("$.limits['e\u{301}']", "[]"),  // another way to write é is another name
    ("$.manager", "[null]"),
    ("$.manager.name", "[]"),
    ("$.missing", "[]"),
    ("$.bins.id", "[]"),
    // Wildcards (2.3.2).
    ("$.limits.*", "[12,3,4,5]"),
    ("$.bins[*].kg", "[12,7.5,12.0]"),
    ("$.name[*]", "[]"),
    // Indices (2.3.3).
    ("$.bins[0].id", #"["b1"]"#),
    ("$.bins[-1].id", #"["b4"]"#),
    ("$.bins[4]", "[]"),
    ("$.bins[-5]", "[]"),
    ("$.limits[0]", "[]"),
    // Slices (2.3.4).
    ("$.bins[1:3].id", #"["b2","b3"]"#),
    ("$.bins[:2].id", #"["b1","b2"]"#),
    ("$.bins[-2:].id", #"["b3","b4"]"#),
    ("$.bins[::2].id", #"["b1","b3"]"#),
    ("$.bins[::-1].id", #"["b4","b3","b2","b1"]"#),
    ("$.bins[2:0:-1].id", #"["b3","b2"]"#),
    ("$.bins[1:99].id", #"["b2","b3","b4"]"#),
    ("$.bins[::0]", "[]"),
    ("$.bins[ 3 : 1 : -1 ].id", #"["b4","b3"]"#),
    ("$.limits[0:1]", "[]"),
    // Descendants (2.5.2): a node comes before what is in it.
    ("$..kg", "[12,7.5,12.0,12]"),
    ("$..row", "[1,2]"),
    ("$.bins[0]..*", #"["b1",12,["nut","bolt"],{"row":1},"nut","bolt",1]"#),
    ("$..goods[0]", #"["nut","Nut","wire"]"#),
    ("$..['row','id']", #"["b1",1,"b2","b3",2,"b4"]"#),
    // Filters: existence (2.3.5).
    ("$.bins[?@.at].id", #"["b1","b3"]"#),
    ("$.bins[?!@.at].id", #"["b2","b4"]"#),
    ("$.bins[?@.goods[*]].id", #"["b1","b3","b4"]"#),
    ("$[?@.kg]", #"[{"kg":12,"row's":3,"a.b":4,"é":5}]"#),
    // Comparison: numbers by value, Nothing equals only Nothing, no order between kinds.
    ("$.bins[?@.kg == 12].id", #"["b1","b3"]"#),
    ("$.bins[?@.kg == $.limits.kg].id", #"["b1","b3"]"#),
    ("$.bins[?@.kg < 12].id", #"["b2"]"#),
    ("$.bins[?@.kg >= 7.5e0].id", #"["b1","b2","b3"]"#),
    ("$.bins[?@.kg != 12].id", #"["b2","b4"]"#),
    ("$.bins[?@.kg == @.missing].id", #"["b4"]"#),
    ("$.bins[?@.kg < '12'].id", "[]"),
    ("$.bins[?@.id > 'b2'].id", #"["b3","b4"]"#),
    ("$[?@ == true]", "[true]"),
    ("$[?@ == null]", "[null]"),
    ("$.bins[?@.goods == $.bins[1].goods].id", #"["b2"]"#),
    ("$.bins[?@.at == @.at].id", #"["b1","b2","b3","b4"]"#),
    // Precedence: ! before && before ||.
    ("$.bins[?@.kg == 12 && @.at.row == 2 || @.id == 'b4'].id", #"["b3","b4"]"#),
    ("$.bins[?@.kg == 12 && (@.at.row == 2 || @.id == 'b4')].id", #"["b3"]"#),
    ("$.bins[?!(@.kg == 12) && @.kg].id", #"["b2"]"#),
    // Functions (2.4).
    ("$.bins[?length(@.goods) > 1].id", #"["b1","b4"]"#),
    ("$[?length(@) == 5]", #"["north"]"#),
    ("$.bins[?length(@.kg) == length(@.missing)].id", #"["b1","b2","b3","b4"]"#),
    ("$.bins[?count(@.goods[*]) == 3].id", #"["b4"]"#),
    ("$.bins[?count(@.*) == 3].id", #"["b2"]"#),
    ("$.bins[?value(@..row) == 2].id", #"["b3"]"#),
    ("$.bins[?value(@.goods[*]) == 'Nut'].id", #"["b3"]"#),
    ("$.codes[?match(@, 'N-[0-9]+')]", #"["N-10","N-007"]"#),
    ("$.codes[?search(@, 'N-[0-9]+')]", #"["N-10","N-007","x\nN-1"]"#),
    ("$.codes[?!match(@, '.*')]", #"[8,{"N-10":1},"x\nN-1"]"#),
    ("$.codes[?match(@, $.name)]", "[]"),
    ("$.codes[?match(@, '[')]", "[]"),
    ("$.codes[?match(@, '\\\\p{Lu}-\\\\p{Nd}{1,2}')]", #"["N-10","S-7"]"#),
    // The example of the Arazzo specification, to the letter: it asks about the children of the root.
    ("$[?count(@.pets) > 0]", "[]"),
  ]

  @Test(arguments: selections)
  func `a query selects what the standard says, in its order`(query: String, values: String) throws
  {
    let document = try JSONValue(parsing: Self.warehouse)
    let selected = try JSONPath(parsing: query).values(in: document)
    #expect(JSONValue.array(selected).serialized() == values)
  }

  @Test func `nodes know their normalized paths`() throws {
    let document = try JSONValue(parsing: #"{"a'b":[{"\u000b\n":1},2]}"#)
    let nodes = try JSONPath(parsing: "$..*").nodes(in: document)
    #expect(
      nodes.map(\.normalizedPath) == [
        #"$['a\'b']"#, #"$['a\'b'][0]"#, #"$['a\'b'][1]"#, #"$['a\'b'][0]['\u000b\n']"#,
      ])
  }

  @Test func `a query of names and indices is singular and has a pointer`() throws {
    #expect(try JSONPath(parsing: "$.a['b'][0]").pointerTokens == ["a", "b", "0"])
    #expect(try JSONPath(parsing: "$.a[-1]").isSingular)
    for text in ["$.*", "$..a", "$['a','b']", "$[0:1]", "$[?@.a]"] {
      #expect(try !JSONPath(parsing: text).isSingular, "\(text)")
      #expect(try JSONPath(parsing: text).pointerTokens == nil, "\(text)")
    }
  }

  @Test func `the white space of the grammar is allowed, and no other`() throws {
    let document = try JSONValue(parsing: #"{"a":[{"b":1}]}"#)
    let text = "$ \t\n\r.a\n[ ?\t@ .b\r== 1 && ! ( @.c ) || count ( @.d ) > 0 ]"
    #expect(throws: JSONPathError.self) { try JSONPath(parsing: text) }
    let fixed = text.split(separator: "count (").joined(separator: "count(")
    #expect(try JSONPath(parsing: fixed).values(in: document).count == 1)
  }
}
