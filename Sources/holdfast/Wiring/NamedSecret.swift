import Foundation
import HoldfastCore
import HoldfastCrypto

/// A secret that a configuration names: `env:NAME` or `file:PATH`, from the configuration's folder.
enum NamedSecret {
    /// - Throws: where there is none, without a word of what was found.
    static func read(_ place: String, _ configuration: Configuration) throws -> Secret {
        if place.hasPrefix("env:") {
            guard let value = ProcessInfo.processInfo.environment[String(place.dropFirst(4))], !value.isEmpty else {
                throw Failure("the environment has no \(place.dropFirst(4))")
            }
            return Secret(value)
        }
        let path = configuration.resolve(String(place.dropFirst("file:".count)))
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure("\(path) cannot be read, or is no text")
        }
        return Secret(text)
    }
}
