internal import Glibc

/// The files that paths, folders and patterns stand for.
struct FileListing: Sendable {
    /// A file found, in the order in which files are read.
    struct Entry: Sendable, Hashable {
        var path: String
        var facts: FileFacts
        /// Named by its own path, not found in a folder or by a pattern.
        var isNamed: Bool
    }

    /// What cannot be looked at.
    struct Fault: Sendable, Hashable {
        var path: String
        var reason: String
        /// A path or pattern of the configuration that leads to nothing at all.
        var isMissing: Bool
    }

    private(set) var entries: [Entry] = []
    private(set) var faults: [Fault] = []
    private var seen: Set<String> = []
    /// Files that the pattern in hand has met.
    private var matched = 0

    /// Looks at the file system now.
    ///
    /// - Parameter paths: files, folders (with everything below them) and patterns with `*`, `?`, `[a-z]` and `**`,
    /// which   stands for any number of folders.
    init(_ paths: [String]) {
        for path in paths { add(path) }
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private mutating func add(_ path: String) {
        do {
            let facts = try FileFacts.of(path)
            if facts.kind == .folder { walk(path) } else { add(path, facts, isNamed: true) }
        } catch {
            matched = 0
            if Self.isPattern(path) { expand(path) }
            if !Self.isPattern(path) {
                faults.append(Fault(path: path, reason: "\(error)", isMissing: error.errno == ENOENT))
            } else if matched == 0 {
                faults.append(Fault(path: path, reason: "matches no file", isMissing: true))
            }
        }
    }

    private mutating func add(_ path: String, _ facts: FileFacts, isNamed: Bool) {
        matched += 1
        guard seen.insert(path).inserted else { return }
        entries.append(Entry(path: path, facts: facts, isNamed: isNamed))
    }

    // MARK: - Folders

    /// Adds the files below a folder that may hold events. Links to folders are not entered, so that no circle is.
    private mutating func walk(_ folder: String) {
        for child in children(of: folder) where Self.mayHoldEvents(child.name) {
            let path = Self.join(folder, child.name)
            if child.isFolder { walk(path) } else { addFound(path) }
        }
    }

    private mutating func addFound(_ path: String) {
        do {
            let facts = try FileFacts.of(path)
            if facts.kind == .file { add(path, facts, isNamed: false) }
        } catch {
            faults.append(Fault(path: path, reason: "\(error)", isMissing: false))
        }
    }

    private mutating func children(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let handle = opendir(folder) else {
            let fault = FileFault(doing: "be listed", errno: errno)
            faults.append(Fault(path: folder, reason: "\(fault)", isMissing: false))
            return []
        }
        defer { closedir(handle) }
        var found: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            var isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            if entry.pointee.d_type == UInt8(DT_UNKNOWN) {
                var facts = stat()
                isFolder = lstat(Self.join(folder, name), &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
            }
            found.append((name, isFolder))
        }
        return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// False for names that clearly are no events: what stands beside data, what is being written, what is hidden.
    static func mayHoldEvents(_ name: String) -> Bool {
        let name = name.lowercased()
        let stem = name.prefix { $0 != "." && $0 != "-" }
        let stems = ["", "license", "licence", "notice", "readme", "changelog", "copying", "makefile", "dockerfile"]
        return !stems.contains(String(stem)) && !otherEndings.contains(where: name.hasSuffix)
    }

    private static let otherEndings = [
        "~", ".tmp", ".part", ".partial", ".swp", ".md", ".rst", ".txt", ".csv", ".tsv", ".html", ".pdf", ".png",
        ".jpg",
        ".yaml", ".yml", ".toml", ".ini", ".xml", ".tf", ".py", ".sh", ".js", ".go", ".rb", ".swift", ".db", ".sqlite",
        ".sha256", ".sig", ".asc",
    ]

    // MARK: - Patterns

    static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

    private mutating func expand(_ pattern: String) {
        let isAbsolute = pattern.hasPrefix("/")
        let parts = pattern.split(separator: "/").map(String.init)
        match(parts[...], in: isAbsolute ? "/" : "")
    }

    private mutating func match(_ parts: ArraySlice<String>, in folder: String) {
        guard let part = parts.first else { return }
        let rest = parts.dropFirst()
        if part == "**" {
            match(rest.isEmpty ? ["*"] : rest, in: folder)
            for child in children(of: folder.isEmpty ? "." : folder) where child.isFolder && !child.name.hasPrefix(".")
            {
                match(parts, in: Self.join(folder, child.name))
            }
        } else if !Self.isPattern(part) {
            let path = Self.join(folder, part)
            guard let facts = try? FileFacts.of(path) else { return }
            if facts.kind == .folder, !rest.isEmpty {
                match(rest, in: path)
            } else if rest.isEmpty {
                found(path, facts)
            }
        } else {
            for child in children(of: folder.isEmpty ? "." : folder) where fnmatch(part, child.name, FNM_PERIOD) == 0 {
                // A bare star means "what is here", not each name as such.
                if part == "*", !Self.mayHoldEvents(child.name) { continue }
                let path = Self.join(folder, child.name)
                if !rest.isEmpty {
                    // One level of a pattern may be a link to a folder; `**` enters none, so that no circle is.
                    if (try? FileFacts.of(path))?.kind == .folder { match(rest, in: path) }
                } else if child.isFolder {
                    walk(path)
                } else {
                    addFound(path)
                }
            }
        }
    }

    private mutating func found(_ path: String, _ facts: FileFacts) {
        if facts.kind == .folder { walk(path) } else if facts.kind == .file { add(path, facts, isNamed: false) }
    }

    private static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
