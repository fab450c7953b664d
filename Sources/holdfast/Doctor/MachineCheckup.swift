import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastStore

/// What the kernel says of a path, told apart: not there is not the same as not to be seen.
struct FileStatus {
    /// 0, `ENOENT`, `EACCES`, …
    let code: CInt
    let isFolder: Bool
    var isThere: Bool { code == 0 }
    var reason: String { String(cString: strerror(code)) }

    init(_ path: String) {
        var status = stat()
        code = stat(path, &status) == 0 ? 0 : errno
        isFolder = code == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

/// The store, the halt file, keys and the audit log's anchors: what is on this machine.
struct MachineCheckup {
    private let configuration: Configuration
    /// Below this much free space the store fails.
    private static let leastFree = 256 << 20

    init(_ configuration: Configuration) { self.configuration = configuration }

    func diagnoses() -> [Diagnosis] {
        [store(), space(), haltFile()] + [captureKey()].compactMap { $0 }
            + configuration.audit.anchors.compactMap { anchor in
                if case .file(let path) = anchor { self.anchor(configuration.resolve(path)) } else { nil }
            }
    }

    private static func folder(of path: String) -> String {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        return folder.isEmpty ? "." : folder
    }

    private func store() -> Diagnosis {
        let path = configuration.sqlitePath
        let folder = Self.folder(of: path)
        guard FileStatus(path).isThere else {
            guard FileStatus(folder).isFolder, access(folder, W_OK | X_OK) == 0 else {
                return .fails(
                    "store", path, "it is not there, and its folder \(folder) is not one that this user can write in",
                    do: "make the folder and give it to the user that runs the service, or change store: sqlite:")
            }
            return .ok("store", path, "it is not there yet; the first `holdfast run` can make it")
        }
        do throws(JournalError) {
            let version = try SQLiteJournal(.file(path), access: .readOnly).schemaVersion()
            if SQLiteJournal.isOwned(path: path) {
                return .ok("store", path, "version \(version.own); a holdfast that runs now writes to it")
            }
            let journal = try SQLiteJournal(.file(path))
            try journal.probe()
            try journal.close()
            return .ok("store", path, "version \(version.own), the newest; it can be written")
        } catch {
            let lost = "restore a copy (runbooks/restore-from-backup.md), or go on without it (runbooks/store-lost.md)"
            return .fails("store", path, error.message, do: error.code == .corrupt ? lost : "see what it says")
        }
    }

    private func space() -> Diagnosis {
        let folder = Self.folder(of: configuration.sqlitePath)
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            return .fails(
                "disk", folder, String(cString: strerror(errno)), do: "make the folder, or change store: sqlite:")
        }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        let text = "\(free >> 20) MiB are free"
        guard free >= Self.leastFree else {
            return .fails("disk", folder, text, do: "free some; a full disk stops all intake and loses nothing")
        }
        return .ok("disk", folder, text)
    }

    private func haltFile() -> Diagnosis {
        let path = configuration.resolve(configuration.haltFile)
        let status = FileStatus(path)
        switch status.code {
        case 0:
            return .note(
                "halt file", path, "it is there: nothing is written to a cloud",
                do: "remove it when that shall end (runbooks/halt-and-resume.md)")
        case ENOENT: return .ok("halt file", path, "it is not there; made, it stops all writes")
        default:
            return .fails(
                "halt file", path, "this user cannot see whether it is there (\(status.reason))",
                do: "let the user that runs the service look into its folder, or change halt-file:")
        }
    }

    private func captureKey() -> Diagnosis? {
        guard let place = configuration.captureKey else { return nil }
        do {
            _ = try Remediating.tools(configuration)
            return .ok("key", "captures", "\(place) holds one")
        } catch {
            return .fails(
                "key", "captures", "\(error)", do: "openssl rand -hex 32 makes one; keep the old for old undos")
        }
    }

    private func anchor(_ path: String) -> Diagnosis {
        let place = FileStatus(path).isThere ? path : Self.folder(of: path)
        guard access(place, W_OK) == 0 else {
            return .fails(
                "anchor", path, "\(place): \(String(cString: strerror(errno)))",
                do: "let the user that runs the service write there")
        }
        return .ok("anchor", path, "it can be written")
    }
}
