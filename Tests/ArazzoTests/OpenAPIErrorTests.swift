// The errors of OpenAPI documents. Each row is one change and the exact errors that it causes.

import Arazzo
import Testing

@Suite struct OpenAPIErrorTests {
  static let edits: [Edit] = [
    Edit(
      "openapi: 3.1.0",
      "openapi: 2.0.0",
      "openapi/library.yaml:1: $.openapi: only OpenAPI 3.0, 3.1 and 3.2 are supported"),
    Edit(
      "- key: []\n",
      "- password: []\n",
      "openapi/library.yaml:6: $.security[0].password: there is no security scheme "
        + "'password' in components.securitySchemes"),
    Edit(
      "operationId: findReader",
      "operationId: addReader",
      "openapi/library.yaml:19: $.paths['/readers'].post: the operationId "
        + "'addReader' occurs twice; it must be unique in the document",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationId: there is "
        + "no operation 'findReader' in openapi/library.yaml; did you mean addReader?",
      "register_reader.arazzo.yaml:44: $.workflows[0].steps[1]: the operation "
        + "addReader needs the query parameter 'email'",
      "register_reader.arazzo.yaml:47: $.workflows[0].steps[1].requestBody: the "
        + "operation addReader takes no request body",
      "register_reader.arazzo.yaml:55: $.workflows[0].steps[1].x-writ.inDoubt: "
        + "addReader only reads, so there is nothing to doubt; remove 'inDoubt'"),
    Edit(
      "{name: email, in: query, required: true, schema: {type: string}}",
      "{name: email, in: cookie}",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: the "
        + "operation findReader has no query parameter 'email'; it is in: cookie"),
    Edit(
      "{name: email, in: query, required: true, schema: {type: string}}",
      "{name: email, in: query, required: true, style: deepObject}",
      "openapi/library.yaml:13: $.paths['/readers'].get.parameters[0].style: the style "
        + "'deepObject' is not supported; a query parameter has the style form"),
    Edit(
      "{name: email, in: query, required: true, schema: {type: string}}",
      "{name: email, in: query, required: true, content: {}}",
      "openapi/library.yaml:13: $.paths['/readers'].get.parameters[0].content: a "
        + "parameter with 'content' is not supported; use 'schema'"),
    Edit(
      "      x-effect: create\n      requestBody",
      "      requestBody",
      "openapi/library.yaml:19: $.paths['/readers'].post: an operation with POST must "
        + "say what it does to the outside world: x-effect: create, update, delete, or "
        + "none if it only reads"),
    Edit(
      "x-effect: delete",
      "x-effect: remove",
      "openapi/library.yaml:50: $.paths['/readers/{id}/card'].delete.x-effect: "
        + "'x-effect' must be one of none, create, update, delete"),
    Edit(
      "[readers:write, readers:read]",
      "{write: true}",
      "openapi/library.yaml:20: $.paths['/readers'].post.x-required-permission: "
        + "'x-required-permission' must be a permission or a list of permissions"),
    Edit(
      "in: path, required: true",
      "in: path",
      "openapi/library.yaml:57: $.components.parameters.Id: the path parameter 'id' "
        + "must have required: true"),
    Edit(
      "name: id, in: path",
      "name: reader, in: path",
      "openapi/library.yaml:38: $.paths['/readers/{id}/card'].put: the path has {id}, "
        + "but no path parameter 'id' is declared",
      "openapi/library.yaml:38: $.paths['/readers/{id}/card'].put: the path parameter "
        + "'reader' does not occur in the path /readers/{id}/card",
      "openapi/library.yaml:50: $.paths['/readers/{id}/card'].delete: the path has "
        + "{id}, but no path parameter 'id' is declared",
      "openapi/library.yaml:50: $.paths['/readers/{id}/card'].delete: the path "
        + "parameter 'reader' does not occur in the path /readers/{id}/card",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: the operation "
        + "issueCard needs the path parameter 'reader'",
      "register_reader.arazzo.yaml:63: $.workflows[0].steps[2].parameters[0]: the "
        + "operation issueCard has no path parameter 'id'"),
    Edit(
      "2XX:",
      "success:",
      "openapi/library.yaml:42: $.paths['/readers/{id}/card'].put.responses.success: a "
        + "response is named by its status (such as 200), a range (2XX) or 'default'"),
    Edit(
      "{description: It exists}",
      "{content: {}}",
      "openapi/library.yaml:33: $.paths['/readers'].post.responses.409: a response "
        + "needs the field 'description'"),
    Edit(
      ##""#/components/responses/Added""##,
      ##""#/components/responses/Created""##,
      "openapi/library.yaml:32: $.paths['/readers'].post.responses.201.$ref: "
        + "'#/components/responses/Created' leads nowhere in this document"),
    Edit(
      ##""#/components/responses/Added""##,
      #""common.yaml#/Added""#,
      "openapi/library.yaml:32: $.paths['/readers'].post.responses.201.$ref: "
        + "'common.yaml#/Added' refers to another document; only references inside the "
        + "document (#/…) are supported"),
    Edit(
      "Reader: {type: object,",
      "Reader: {type: object, nullable: true,",
      #"openapi/library.yaml:63: $.components.schemas.Reader.nullable: 'nullable' "#
        + #"belongs to OpenAPI 3.0; write type: [string, "null"]"#),
    Edit(
      "Reader: {type: object,",
      "Reader: {type: object, requires: [id],",
      "openapi/library.yaml:63: $.components.schemas.Reader.requires: a schema has no "
        + "keyword 'requires'"),
    Edit(
      "x-writ: {secret: true}",
      "x-writ: {secret: sometimes}",
      "openapi/library.yaml:48: "
        + "$.paths['/readers/{id}/card'].put.responses.2XX.content['application/json'].schema.properties.pin.x-writ.secret: 'secret' must be true or false, but this is a text"
    ),
    Edit(
      "x-writ: {secret: true}",
      "x-writ: {hidden: true}",
      "openapi/library.yaml:48: "
        + "$.paths['/readers/{id}/card'].put.responses.2XX.content['application/json'].schema.properties.pin.x-writ.hidden: x-writ of a schema has no field 'hidden'; its fields are record, secret"
    ),
    Edit(
      "type: apiKey, in: header",
      "type: apiKey, in: body",
      "openapi/library.yaml:68: $.components.securitySchemes.key.in: 'in' must be one of "
        + "header, query, cookie"),
    Edit(
      "name: X-API-Key",
      "name: X API Key",
      "openapi/library.yaml:68: $.components.securitySchemes.key.name: 'X API Key' cannot name a "
        + "header"),
    Edit(
      "name: X-API-Key}",
      "name: X-API-Key, x-writ: {secret: My.Key}}",
      "openapi/library.yaml:68: $.components.securitySchemes.key.x-writ.secret: 'secret' must be a "
        + "word of at most 32 lower-case letters, digits and -, and none of user, password, email, "
        + "signing"),
    Edit(
      "name: X-API-Key}",
      "name: X-API-Key, x-writ: {session: {}}}",
      "openapi/library.yaml:68: $.components.securitySchemes.key.x-writ.session: a session belongs "
        + "to a scheme of type http, scheme bearer"),
    Edit(
      "security: [{session: []}]",
      "security: [{session: [], key: []}]",
      "openapi/library.yaml:51: $.paths['/readers/{id}/card'].delete.security[0]: 'session' and "
        + "'key' cannot be used together: a session stands alone"),
    Edit(
      "- key: []\n",
      "- {key: [], other: []}\n",
      "openapi/library.yaml:6: $.security[0].other: there is no security scheme 'other' in "
        + "components.securitySchemes"),
    Edit(
      "securitySchemes:\n    key:",
      "securitySchemes:\n    mutual: {type: mutualTLS}\n    key:",
      "openapi/library.yaml:68: $.components.securitySchemes.mutual.type: the type 'mutualTLS' is "
        + "not supported; apiKey, http bearer and http basic are supported"),
    Edit(
      "securitySchemes:\n    key:",
      "securitySchemes:\n    login: {type: openIdConnect, openIdConnectUrl: 'https://i'}\n    key:",
      "openapi/library.yaml:68: $.components.securitySchemes.login.type: the type 'openIdConnect' is "
        + "not supported; apiKey, http bearer and http basic are supported"),
    Edit(
      "- url: https://library.example/api",
      "- url: https://user:canary@library.example/api",
      "openapi/library.yaml:4: $.servers[0].url: a URL must not hold a user or a password; describe "
        + "them as a security scheme"),
    Edit(
      "- url: https://library.example/api",
      "- url: ftp://library.example/api",
      "openapi/library.yaml:4: $.servers[0].url: only http and https servers are supported"),
    Edit(
      "- url: https://library.example/api",
      "- url: http://127.0.0.1:99999/api",
      "openapi/library.yaml:4: $.servers[0].url: the port of a URL must be a number from 1 to 65535"
    ),
    Edit(
      "- url: https://library.example/api",
      "- url: https://library.example/api?key=1",
      "openapi/library.yaml:4: $.servers[0].url: the URL of a server has no query and no fragment"),
    Edit(
      "paths:\n",
      "x-writ: {signature: hmac}\npaths:\n",
      "openapi/library.yaml:7: $.x-writ.signature: 'signature' must be one of none, standardWebhooks"
    ),
    Edit(
      "operationId: findReader",
      "operationId: findReader\n      x-writ: {sign: true}",
      "openapi/library.yaml:11: $.paths['/readers'].get.x-writ.sign: x-writ of an operation has no "
        + "field 'sign'; its fields are signature"),
    Edit(
      "{name: email, in: query, required: true, schema: {type: string}}",
      "{name: email, in: query, required: true}\n        - {name: Host, in: header}",
      "openapi/library.yaml:14: $.paths['/readers'].get.parameters[1].name: the header Host is set by the "
        + "worker alone"),
    Edit(
      "scheme: bearer",
      "scheme: digest",
      "openapi/library.yaml:71: $.components.securitySchemes.session.scheme: the "
        + "scheme 'digest' is not supported; apiKey, http bearer and http basic are supported"),
    Edit(
      "type: http\n",
      "type: oauth2\n",
      "openapi/library.yaml:70: $.components.securitySchemes.session.type: the type "
        + "'oauth2' is not supported; apiKey, http bearer and http basic are supported"),
    Edit(
      "- url: https://library.example/api",
      "- url: https://{host}/api\n    variables: {host: {default: x}}",
      "openapi/library.yaml:5: $.servers[0].variables: server variables are not "
        + "supported; write the URL out"),
    Edit(
      "/readers/{id}/card:",
      "readers/{id}/card:",
      "openapi/library.yaml:34: $.paths['readers/{id}/card']: a path starts with /",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].operationPath: "
        + "'operationPath' leads to no operation in openapi/library.yaml"),
    Edit(
      "x-writ: {session: {operationId: login, ttl: PT1H}}",
      "x-writ: {login: {}}",
      "openapi/library.yaml:72: $.components.securitySchemes.session.x-writ.login: "
        + "x-writ of a security scheme has no field 'login'; its fields are session, secret"),
  ]

  static let misspellings: [Edit] = [
    Edit(
      "pin: {type: string, x-writ:", "pin: {type: string, x-write:",
      "openapi/library.yaml:48: $.paths['/readers/{id}/card'].put.responses.2XX.content['application/json']"
        + ".schema.properties.pin.x-write: 'x-write' means nothing to Writ; did you mean x-writ?"),
    Edit(
      "pin: {type: string, x-writ:", "pin: {type: string, X-Writ:",
      "openapi/library.yaml:48: $.paths['/readers/{id}/card'].put.responses.2XX.content['application/json']"
        + ".schema.properties.pin.X-Writ: a schema has no keyword 'X-Writ'"),
    Edit(
      "Reader: {type: object", "Reader: {x-Writ: {secret: true}, type: object",
      "openapi/library.yaml:63: $.components.schemas.Reader.x-Writ: 'x-Writ' means nothing to Writ; did you "
        + "mean x-writ?"),
    Edit(
      "{name: email, in: query, required: true,",
      "{name: email, in: query, required: true, x-wrti: {secret: true},",
      "openapi/library.yaml:13: $.paths['/readers'].get.parameters[0].x-wrti: 'x-wrti' means nothing to Writ; "
        + "did you mean x-writ?"),
    Edit(
      "description: The new reader",
      "description: The new reader\n      headers: {ETag: {x-rit: {secret: true}, schema: {type: string}}}",
      "openapi/library.yaml:61: $.components.responses.Added.headers.ETag.x-rit: 'x-rit' means nothing to Writ; "
        + "did you mean x-writ?"),
    Edit(
      "content: {application/json: {schema: {$ref: \"#/components/schemas/Reader\"}}}",
      "content: {application/json: {x-writs: {secret: true}, schema: {$ref: \"#/components/schemas/Reader\"}}}",
      "openapi/library.yaml:61: $.components.responses.Added.content['application/json'].x-writs: 'x-writs' "
        + "means nothing to Writ; did you mean x-writ?"),
    Edit(
      "operationId: findReader", "operationId: findReader\n      x-write: {signature: none}",
      "openapi/library.yaml:11: $.paths['/readers'].get.x-write: 'x-write' means nothing to Writ; did you mean "
        + "x-writ?"),
    Edit(
      "x-writ: {session: {operationId: login, ttl: PT1H}}",
      "x-write: {session: {operationId: login, ttl: PT1H}}",
      "openapi/library.yaml:72: $.components.securitySchemes.session.x-write: 'x-write' means nothing to Writ; "
        + "did you mean x-writ?"),
    Edit(
      "operationId: findReader",
      "operationId: findReader\n      x-wait: 5\n      x-writer: {name: Ann}\n      x-internal: true"
    ),
    Edit(
      "{type: string, format: uuid}",
      "{type: string, format: uuid, x-wait: 5, x-unit: {name: m}, x-writ-note: {a: 1}}"),
  ]

  @Test(arguments: misspellings)
  func `a misspelt x-writ is refused, since a mark of a secret would be lost`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.openAPI), "the old text must occur once")
    #expect(Library.errors(Library.files(openAPI: document)) == edit.errors)
    if !edit.new.contains("X-Writ") {
      #expect(throws: Never.self) {
        try Catalogue.load(
          files: Library.files(openAPI: document), publishedType: "register_reader")
      }
    }
  }

  @Test(arguments: edits)
  func `an API that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.openAPI), "the old text must occur once")
    #expect(Library.errors(Library.files(openAPI: document)) == edit.errors)
  }
}
