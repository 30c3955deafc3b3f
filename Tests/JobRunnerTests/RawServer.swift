// A server that answers with given bytes, to see what a client makes of broken answers.

import NIOCore
import NIOPosix
import NIOSSL

/// Accepts connections on loopback and treats each as told.
final class RawServer: Sendable {
  /// What to do once a request has begun to arrive.
  enum Behaviour: Sendable {
    /// Send these bytes and close.
    case answer(String)
    /// Send these bytes and keep the connection open.
    case answerAndStall(String)
    /// Close without a byte.
    case close
    /// Say nothing.
    case silence
  }

  private let channel: any Channel

  /// - Parameter tls: The server's certificate and key, for a server that speaks TLS.
  init(_ behaviour: Behaviour, tls: NIOSSLContext? = nil) async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          try channel.pipeline.syncOperations.addHandler(Handler(behaviour))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  var port: Int { channel.localAddress?.port ?? 0 }

  func stop() async throws { try await channel.close() }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let behaviour: Behaviour

    init(_ behaviour: Behaviour) { self.behaviour = behaviour }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      switch behaviour {
      case .answer(let text):
        let channel = context.value.channel
        channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in
          channel.close(promise: nil)
        }
      case .answerAndStall(let text):
        context.value.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
      case .close: context.value.close(promise: nil)
      case .silence: break
      }
    }
  }
}
