package import HoldfastCore
internal import HoldfastJSON
package import Logging

/// Writes log lines: a constant sentence, and values under the names of ``LogKey``. What stands under other names is
/// left out, whoever wrote it there.
package struct LogLines: LogHandler {
    package var logLevel: Logger.Level
    package var metadata = Logger.Metadata()
    package var metadataProvider: Logger.MetadataProvider?
    private let format: LogSettings.Format
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line without its end.
    package init(
        _ settings: LogSettings, now: @escaping @Sendable () -> Timestamp, write: @escaping @Sendable (String) -> Void
    ) {
        format = settings.format
        logLevel = Logger.Level(settings.level)
        self.now = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let values = LogKey.allCases.compactMap { key in all[key.name].map { (key.name, "\($0)") } }
        let level = event.level.rawValue
        switch format {
        case .json:
            let own: [(String, JSON)] = [
                ("time", .string(now().description)), ("level", .string(level)), ("message", .string("\(event.message)")),
            ]
            write(JSON.object(JSONObject(own + values.map { ($0.0, .string($0.1)) })).canonicalText)
        case .text:
            let pairs = values.map { "\($0.0)=\(JSON.string($0.1).canonicalText)" }
            write(([now().description, level, "\(event.message)"] + pairs).joined(separator: " "))
        }
    }
}

extension Logger.Level {
    package init(_ level: LogSettings.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
    }
}
