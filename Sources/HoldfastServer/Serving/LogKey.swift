/// Everything that a log line may carry beside its sentence. No payloads and no secrets stand under any of these.
package enum LogKey: String, Sendable, CaseIterable {
    case source, records, error, wait, resource, code
    case method, path, status, seconds, peer, person, roles, via, digest, run, finding, playbook
    case address, channel, attempts, subject

    package var name: String { rawValue }
}
