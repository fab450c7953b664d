import HoldfastCore
import HoldfastEngine
import HoldfastServer
import Logging

/// What the service tells of itself, on standard error.
enum Logs {
    /// One for a process; libraries that log take it too.
    static func begin(_ settings: LogSettings) -> Logger {
        LoggingSystem.bootstrap { _ in
            LogLines(settings, now: { SystemWallClock.now }) { Output.error($0) }
        }
        return Logger(label: "holdfast")
    }

    /// The line of what happened; most of what goes well has none.
    static func tell(_ happening: Happening, to logger: Logger) {
        switch happening {
        case .sourceFailed(let source, let error):
            logger.warning(
                "a source failed",
                metadata: [
                    LogKey.source.name: "\(source)", LogKey.code.name: "\(error.code)",
                    LogKey.error.name: "\(error.message)",
                ])
        case .sourceEnded(let source): logger.info("a source has ended", metadata: [LogKey.source.name: "\(source)"])
        case .readFailed(let resource, let error):
            logger.info(
                "a resource could not be read",
                metadata: [
                    LogKey.resource.name: "\(resource.id)", LogKey.code.name: "\(error.code)",
                    LogKey.error.name: "\(error.message)",
                ])
        case .batch(let source, let records, _):
            logger.debug(
                "a batch is in", metadata: [LogKey.source.name: "\(source)", LogKey.records.name: "\(records)"])
        case .drained: logger.info("everything that was begun is committed")
        }
    }
}
