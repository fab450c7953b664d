import Foundation
import Glibc
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer

/// The tokens of `holdfast login`, by server, in a file that only its owner may read.
enum StoredTokens {
    /// `$XDG_STATE_HOME/holdfast/tokens.json`.
    private static var file: String {
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.local/state"
        return state + "/holdfast/tokens.json"
    }

    struct Entry {
        var offer: ProviderClient.Offer
        var tokens: TokenSet
    }

    /// What is presented to a server: HOLDFAST_TOKEN, or what its last login gave, made new where it ends soon.
    static func token(for server: String, through http: HTTPClient) async throws -> String? {
        if let token = ProcessInfo.processInfo.environment["HOLDFAST_TOKEN"], !token.isEmpty { return token }
        guard let entry = try read()[server].flatMap(Entry.init(json:)) else { return nil }
        if SystemWallClock.now + Span(seconds: 30) < entry.tokens.expires {
            return entry.tokens.bearer(for: entry.offer.audience)
        }
        guard let refresh = entry.tokens.refresh else {
            throw Failure("the sign-in at \(entry.offer.issuer) has ended: `holdfast login --server \(server)`")
        }
        let client = ProviderClient(entry.offer, fetch: Serving.outbound(http), now: { SystemWallClock.now })
        let tokens = try await client.refresh(refresh)
        try keep(Entry(offer: entry.offer, tokens: tokens), for: server)
        return tokens.bearer(for: entry.offer.audience)
    }

    static func keep(_ entry: Entry, for server: String) throws {
        var all = try read()
        all[server] = entry.json
        try write(all)
    }

    private static func read() throws -> JSONObject {
        guard FileManager.default.fileExists(atPath: file) else { return JSONObject() }
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        let mode = attributes[.posixPermissions] as? Int ?? 0o777
        guard mode & 0o077 == 0, attributes[.ownerAccountID] as? Int == Int(geteuid()) else {
            throw Failure("\(file) may be read by others; chmod 600 it, and sign in again where somebody may have")
        }
        return try JSON.parse(Array(Data(contentsOf: URL(filePath: file)))).object ?? JSONObject()
    }

    private static func write(_ all: JSONObject) throws {
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let beside = "\(file).\(getpid())"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure("\(beside) cannot be made: \(String(cString: strerror(errno)))") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(JSON.object(all).canonicalBytes))
        try handle.close()
        guard rename(beside, file) == 0 else {
            throw Failure("\(file) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

extension StoredTokens.Entry {
    fileprivate init?(json: JSON) {
        guard let offer = json["offer"].flatMap(ProviderClient.Offer.init(json:)),
            let tokens = json["tokens"].flatMap({ TokenSet($0, now: SystemWallClock.now) }),
            let expires = json["expires"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.offer = offer
        self.tokens = tokens
        self.tokens.expires = expires
    }

    fileprivate var json: JSON {
        var kept = JSONObject([("access_token", .string(tokens.access))])
        kept["id_token"] = tokens.id.map { .string($0) }
        kept["refresh_token"] = tokens.refresh.map { .string($0) }
        return ["offer": offer.json, "tokens": .object(kept), "expires": .string(tokens.expires.description)]
    }
}
