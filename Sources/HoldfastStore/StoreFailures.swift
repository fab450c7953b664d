internal import GRDB
internal import HoldfastEngine

/// What SQLite or our own code threw, as the journal's error: what, where, why not, and what would do.
func journalError(_ error: any Error, place: SQLiteJournal.Place, during doing: String) -> JournalError {
    let name =
        switch place {
        case .file(let path): "the journal \(path)"
        case .inMemory: "the journal in memory"
        case .temporary: "the journal of the replay"
        }
    switch error {
    case let error as JournalError:
        if error.code == .fenced { return error }
        return JournalError(error.code, "cannot \(doing) \(name): \(error.message)")
    case let error as DatabaseError:
        let (code, remedy) = meaning(of: error)
        let detail = error.message ?? "SQLite code \(error.extendedResultCode.rawValue)"
        return JournalError(code, "cannot \(doing) \(name): \(detail)\(remedy.isEmpty ? "" : "; " + remedy)")
    default:
        return JournalError(.failed, "cannot \(doing) \(name): \(error)")
    }
}

private func meaning(of error: DatabaseError) -> (code: JournalError.Code, remedy: String) {
    switch error.resultCode {
    case .SQLITE_FULL:
        (.full, "free space on its disk; nothing of this transaction was written")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
        (.corrupt, "restore it from a copy, or give `store: sqlite:` the path of a new file")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
        (.busy, "another process holds it for longer than 5 s; end that process or wait")
    case .SQLITE_CANTOPEN:
        (.failed, "its folder must exist, and this user must be able to write there")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
        (.failed, "this user, or this way of opening it, may only read")
    case .SQLITE_IOERR:
        (.failed, "the disk failed; see the system's log")
    default:
        (.failed, "")
    }
}
