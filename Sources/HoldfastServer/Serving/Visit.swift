internal import HoldfastCore
internal import Hummingbird
internal import Logging
internal import NIOCore

/// What is known of one request beside itself.
struct Visit: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by the front door.
    var peer = Peer.address("unknown")
    /// Set where the route asks for one.
    var caller: Caller?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    var maxUploadSize: Int { Visit.bodyLimit }
    /// Bytes of a request's body.
    static let bodyLimit = 64 << 10
}
