// The committed reference pages are those of the shipped catalogue.

import Arazzo
import Foundation
import JobStore
import Testing

@testable import writ

@Suite struct ReferencePageTests {
  private static let directory = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "../../docs/reference").standardized

  private static let pages: [ReferencePage] = {
    guard let catalogue = try? Catalogue.load(files: EmbeddedCatalogue.documents) else { return [] }
    return ReferencePage.all(of: catalogue)
  }()

  @Test func `docs/reference has a page for each job type, and no other`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.directory.path)
    #expect(Self.pages.count > 20)
    #expect(files.sorted() == Self.pages.map(\.name).sorted())
  }

  @Test(arguments: pages.map(\.name))
  func `a page says what the code says; write them anew with: writ types reference docs/reference`(
    name: String
  ) throws {
    let committed = try String(
      contentsOf: Self.directory.appending(path: name), encoding: .utf8)
    #expect(committed == Self.pages.first { $0.name == name }?.text)
  }

  @Test func `a page tells inputs, doubt, ends, rows and sinks`() throws {
    let text = { (name: String) in Self.pages.first { $0.name == name }?.text ?? "" }
    #expect(text("update_user.md").contains("refused: AuthOS lets no service change"))
    #expect(text("create_subscription.md").contains("| `check` finds out |"))
    #expect(text("create_subscription.md").contains("| `has_another_plan` | `check` | discarded |"))
    #expect(text("list_users.md").contains("`id`, `email`, `created_at`. Kept for 30 days"))
    #expect(
      text("create_api_key.md").contains("sealed to the public key of the input `public_key`"))
    #expect(text("rotate_api_key.md").contains("as `<environment>/<job_type>.pending.key`"))
    #expect(text("onboard_user.md").contains("| `subscription/create` | POST /api/service/"))
  }
}
