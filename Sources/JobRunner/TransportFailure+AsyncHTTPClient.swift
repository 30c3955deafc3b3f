// Which of AsyncHTTPClient's errors prove that nothing left the machine. Whatever is not on the
// list may have left.

import AsyncHTTPClient
import Glibc
import JobModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension TransportFailure {
  /// Classifies an error of the client.
  ///
  /// - Parameters:
  ///   - error: What `execute` or the reading of the body threw.
  ///   - hasResponse: Whether the head of a response had come, so that the request surely left.
  init(sending error: any Error, hasResponse: Bool) {
    if !hasResponse, let reason = Self.proofOfNotSending(error) {
      self = .notSent(reason)
    } else {
      self = .ambiguous(Self.doubt(error))
    }
  }

  private static func proofOfNotSending(_ error: any Error) -> NotSent? {
    switch error {
    case let error as HTTPClientError: proofOfNotSending(error)
    case let error as NIOConnectionError:
      // DNS answered with addresses: then the attempts to connect failed.
      error.connectionErrors.isEmpty
        ? .nameResolution
        : error.connectionErrors.allSatisfy { $0.error is ChannelError }
          ? .connectTimeout : .connectionRefused
    case let error as IOError where connectErrors.contains(error.errnoCode): .connectionRefused
    case let error as ChannelError: error.isConnectTimeout ? .connectTimeout : nil
    case is SocketAddressError: .nameResolution
    // A handshake comes before the first byte of a request.
    case let error as NIOSSLExtraError where error == .failedToValidateHostname: .tlsOtherHost
    case NIOSSLError.handshakeFailed(let reason):
      // BoringSSL's word for whatever is wrong with a chain: unknown authority, expired, not yet valid.
      "\(reason)".contains("CERTIFICATE_VERIFY_FAILED") ? .tlsUntrusted : .tls
    default: nil
    }
  }

  private static func proofOfNotSending(_ error: HTTPClientError) -> NotSent? {
    switch error {
    case .connectTimeout: .connectTimeout
    case .tlsHandshakeTimeout: .tls
    case .getConnectionFromPoolTimeout: .connectTimeout
    case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath: .nameResolution
    case .alreadyShutdown: .heldBack
    default: nil
    }
  }

  /// `connect(2)` alone gives `ECONNREFUSED` for a stream socket.
  private static let connectErrors: Set<CInt> = [ECONNREFUSED]

  private static func doubt(_ error: any Error) -> Ambiguous {
    switch error {
    case is CancellationError: .abandoned
    case let error as HTTPClientError where error == .cancelled: .abandoned
    case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
      .responseTimeout
    case is NIOTooManyBytesError: .unreadableResponse
    case is HTTPClientError, is IOError, is ChannelError, HTTPParserError.invalidEOFState:
      .connectionReset
    default: .unreadableResponse
    }
  }
}

extension ChannelError {
  fileprivate var isConnectTimeout: Bool {
    if case .connectTimeout = self { true } else { false }
  }
}
