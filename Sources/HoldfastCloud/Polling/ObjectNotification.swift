package import HoldfastJSON

/// What a message of a queue says of objects in S3.
package enum ObjectNotification: Sendable {
    /// Files of CloudTrail to be read; `others` are what else it tells, each as something that the decoder knows and
    /// counts.
    case objects([LogObject], others: [JSON])
    /// Why it cannot be understood, as a phrase.
    case unreadable(String)

    /// - Parameter body: a message of SQS: an event notification of S3, the same in a message of SNS or an event of
    ///   EventBridge, CloudTrail's own notice of a delivery, or the test event that S3 sends first.
    package init(body: String) {
        do {
            self = try ObjectNotification.read(try JSON.parse(body), depth: 0)
        } catch let error as JSONError {
            self = .unreadable("is no JSON: \(error)")
        } catch let fault as PageFault {
            self = .unreadable(fault.reason)
        } catch {
            self = .unreadable("\(error)")
        }
    }

    private static let unknown = PageFault("tells of no object of S3: it is no event notification")

    private static func read(_ json: JSON, depth: Int) throws -> ObjectNotification {
        guard let object = json.object, depth < 3 else { throw unknown }
        if object["Event"]?.string == "s3:TestEvent" { return .objects([], others: [json]) }
        if let message = object["Message"]?.string, object["TopicArn"] != nil || object["Type"] != nil {
            guard object["Type"]?.string ?? "Notification" == "Notification" else {
                return .objects([], others: [json])
            }
            return try read(try JSON.parse(message), depth: depth + 1)
        }
        if let records = object["Records"]?.array { return try read(records: records) }
        if let bucket = object["s3Bucket"]?.string, let keys = object["s3ObjectKey"] {
            let names = keys.array?.compactMap(\.string) ?? keys.string.map { [$0] } ?? []
            return sorted(names.map { LogObject(bucket: bucket, key: $0) })
        }
        if object["source"]?.string == "aws.s3", let detail = object["detail"]?.object {
            guard object["detail-type"]?.string == "Object Created" else { return .objects([], others: [json]) }
            return sorted([try created(detail, region: object["region"]?.string)])
        }
        throw unknown
    }

    private static func read(records: [JSON]) throws -> ObjectNotification {
        var objects: [LogObject] = []
        var others: [JSON] = []
        for record in records {
            guard record["eventSource"]?.string == "aws:s3", let s3 = record["s3"] else { throw unknown }
            guard record["eventName"]?.string?.contains("ObjectCreated:") == true else {
                others.append(record)
                continue
            }
            guard let bucket = s3["bucket"]?["name"]?.filled, let key = s3["object"]?["key"]?.filled else {
                throw PageFault("names no bucket or no key")
            }
            objects.append(
                LogObject(
                    bucket: bucket, key: URLQuery.decoded(key, plus: " "), etag: s3["object"]?["eTag"]?.string ?? "",
                    region: record["awsRegion"]?.string ?? ""))
        }
        return sorted(objects, others: others)
    }

    private static func created(_ detail: JSONObject, region: String?) throws -> LogObject {
        guard let bucket = detail["bucket"]?["name"]?.filled, let key = detail["object"]?["key"]?.filled else {
            throw PageFault("names no bucket or no key")
        }
        return LogObject(bucket: bucket, key: key, etag: detail["object"]?["etag"]?.string ?? "", region: region ?? "")
    }

    /// CloudTrail's files to be read, and the rest to be counted.
    private static func sorted(_ objects: [LogObject], others: [JSON] = []) -> ObjectNotification {
        let files = objects.filter { TrailKey($0.key) != nil }
        return .objects(files, others: others + objects.filter { TrailKey($0.key) == nil }.map(\.passedOver))
    }
}

extension LogObject {
    /// What the decoder counts as a notification that is no audit event.
    var passedOver: JSON {
        ["eventSource": "aws:s3", "s3": ["bucket": ["name": .string(bucket)], "object": ["key": .string(key)]]]
    }
}
