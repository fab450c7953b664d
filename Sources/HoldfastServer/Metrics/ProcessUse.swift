internal import Foundation
internal import Glibc

/// What this process takes of the machine, by `/proc`.
package struct ProcessUse: Sendable, Hashable {
    package var residentBytes: Int
    package var virtualBytes: Int
    package var cpuSeconds: Double
    package var openFiles: Int
    /// Seconds since 1970.
    package var started: Double

    /// As it is now; `nil` where `/proc` cannot be read.
    package static func current() -> ProcessUse? {
        guard let stat = text("/proc/self/stat"), let boot = bootTime() else { return nil }
        // The second field is the program's name in parentheses, which may hold anything.
        guard let close = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        // Counted from the third field of proc(5): utime 14, stime 15, starttime 22, vsize 23, rss 24.
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let start = Double(fields[19]), let size = Int(fields[20]), let pages = Int(fields[21])
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return ProcessUse(
            residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))), virtualBytes: size,
            cpuSeconds: (user + system) / ticks,
            openFiles: (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0,
            started: boot + start / ticks)
    }

    private static func bootTime() -> Double? {
        text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// By the names that Prometheus' own clients have.
    func add(to out: inout Exposition) {
        out.add("process_resident_memory_bytes", .gauge, "Resident memory.", residentBytes)
        out.add("process_virtual_memory_bytes", .gauge, "Virtual memory.", virtualBytes)
        out.add("process_cpu_seconds_total", .counter, "User and system time.", [.init(cpuSeconds)])
        out.add("process_open_fds", .gauge, "Open file descriptors.", openFiles)
        out.add("process_start_time_seconds", .gauge, "When the process started, since 1970.", [.init(started)])
    }
}
