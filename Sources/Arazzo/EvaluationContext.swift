// What runtime expressions can see while a workflow runs.

public import JSON

/// The values that runtime expressions refer to.
public struct EvaluationContext: Sendable {
  /// What a workflow was given and gave.
  public struct WorkflowValues: Sendable {
    /// Its inputs.
    public var inputs: JSONObject
    /// Its outputs.
    public var outputs: JSONObject

    /// Values of a workflow.
    public init(inputs: JSONObject = JSONObject(), outputs: JSONObject = JSONObject()) {
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  /// A request or a response.
  public struct Message: Sendable {
    /// The header fields; names are compared without regard to case.
    public var headers: [(name: String, value: String)]
    /// The body; a body that is not JSON is a string.
    public var body: JSONValue?
    /// The query parameters, of a request.
    public var query: JSONObject
    /// The path parameters, of a request.
    public var path: JSONObject

    /// A message.
    public init(
      headers: [(name: String, value: String)] = [], body: JSONValue? = nil,
      query: JSONObject = JSONObject(), path: JSONObject = JSONObject()
    ) {
      self.headers = headers
      self.body = body
      self.query = query
      self.path = path
    }
  }

  /// `$inputs`.
  public var inputs = JSONObject()
  /// `$outputs`: the outputs of the workflow so far.
  public var outputs = JSONObject()
  /// `$steps`: the outputs of the steps that are done, by step.
  public var steps: [String: JSONObject] = [:]
  /// `$workflows`: the values of workflows that ran, by workflow.
  public var workflows: [String: WorkflowValues] = [:]
  /// The URL of each source description (`$sourceDescriptions.<name>.url`), by name.
  public var sourceURLs: [String: String] = [:]
  /// The type of each source description, `openapi` or `arazzo`, by name.
  public var sourceTypes: [String: String] = [:]
  /// `$self`.
  public var selfURI: String?
  /// `$url`.
  public var url: String?
  /// `$method`, for example `POST`.
  public var method: String?
  /// `$statusCode`.
  public var statusCode: Int?
  /// `$request`.
  public var request: Message?
  /// `$response`.
  public var response: Message?

  /// A context in which nothing has a value.
  public init() {}
}
