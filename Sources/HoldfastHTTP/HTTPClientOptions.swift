/// What a client may do, and how much of it at a time.
package struct HTTPClientOptions: Sendable {
    /// Which proxy requests go through. Hosts of this machine over plain HTTP are always spoken to directly.
    package enum Proxy: Sendable {
        /// As libcurl reads the environment: `https_proxy` or `HTTPS_PROXY`, `all_proxy`, `no_proxy`; for plain HTTP
        /// only `http_proxy`, in small letters.
        case environment
        case none
        /// `http://proxy.example:3128`, with user and password where it wants them.
        ///
        /// - Parameter except: names of hosts that need no proxy, each with what is below it: `internal.example`.
        case address(String, except: [String])
    }

    package var proxy: Proxy = .environment
    /// A PEM file of the certificate authorities to trust in place of the system's.
    package var authorities: String?
    /// Hosts that may be spoken to without TLS, by name or address, beside this machine's own and the metadata
    /// services of the clouds.
    package var plainHosts: [String] = []

    /// A unix socket that every request goes through, whatever host its URL names; plain HTTP is as good as TLS there.
    package var socket: String?

    /// Connections to one scheme, host and port; over HTTP/1.1 also the requests in flight to it.
    package var connectionsPerHost = 8
    /// HTTP/2 requests in flight to one scheme, host and port, over all its connections.
    package var streamsPerHost = 100
    /// Connections to all hosts together.
    package var connections = 64
    /// Requests taken on and not answered yet, waiting or in flight; one more is refused.
    package var requests = 4096
    /// Bytes of an answer's header above which it is given up.
    package var headerLimit = 64 << 10

    /// From the name to a connection that is ready, with TLS and a proxy's consent.
    package var connectTimeout: Duration = .seconds(10)
    /// How long a connection may be unused and still be used again. Balancers drop idle ones, some after a minute.
    package var idleTime: Duration = .seconds(30)

    package init() {}
}

extension Duration {
    /// In whole milliseconds, rounded up: never less time than this.
    var milliseconds: Int {
        Int(components.seconds) * 1000 + Int((components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
