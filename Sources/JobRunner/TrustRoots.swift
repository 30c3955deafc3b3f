// The authorities that certificates of a target are checked against, where they are not the machine's.

import Glibc
import NIOSSL

/// The certificates of a file, which stand in place of the machine's trust roots.
///
/// Read once: whoever wants another file to count makes another value.
public struct TrustRoots: Sendable, Hashable {
  /// At least one.
  let certificates: [NIOSSLCertificate]

  /// How many there are.
  public var count: Int { certificates.count }

  /// Reads the certificates of a file in PEM.
  ///
  /// - Throws: ``TrustRootsError`` where there is no file, or no certificate in it.
  public init(file path: String) throws(TrustRootsError) {
    guard access(path, F_OK) == 0 else {
      throw TrustRootsError(description: "there is no file \(path)")
    }
    guard access(path, R_OK) == 0 else {
      throw TrustRootsError(description: "the file \(path) cannot be read by this account")
    }
    let certificates = (try? NIOSSLCertificate.fromPEMFile(path)) ?? []
    guard !certificates.isEmpty else {
      throw TrustRootsError(
        description:
          "the file \(path) holds no certificate that can be read; it takes one or more in PEM, each from "
          + "-----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
    }
    self.certificates = certificates
  }

  /// How a client checks a server: by these authorities alone, and by the server's name.
  var clientConfiguration: TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(certificates)
    configuration.certificateVerification = .fullVerification
    return configuration
  }
}

/// Why a file of authorities cannot be used: a sentence without a full stop.
public struct TrustRootsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The sentence.
  public let description: String
}
