// Every way an exchange can go wrong, once: code → status, titles, fault, retryable. A code is a promise to clients; it is
// added for a reason a client can act on, and never reused. Inner layers throw ExchangeError and know nothing of HTTP;
// gateway/plugins/problem.ts turns it into an RFC 9457 problem, in one place. Each code has a test that provokes it.

/** Whose doing it is: the client can mend it, the gateway must, or the provider must. */
export type Fault = 'client' | 'gateway' | 'provider'

interface ErrorRow {
  status: number
  en: string
  vi: string
  fault: Fault
  /** True when the same request may succeed later, unchanged. */
  retryable: boolean
}

const row = (status: number, fault: Fault, retryable: boolean, en: string, vi: string): ErrorRow =>
  Object.freeze({ status, en, vi, fault, retryable })

export const errorTable = Object.freeze({
  NDX_HTTP_MALFORMED: row(400, 'client', false, 'The HTTP request is malformed', 'Yêu cầu HTTP không đúng định dạng'),
  NDX_BODY_MALFORMED: row(400, 'client', false, 'The body is not strict JSON', 'Nội dung không phải JSON hợp lệ'),
  NDX_IDEMPOTENCY_KEY_INVALID: row(
    400,
    'client',
    false,
    'The Idempotency-Key is not valid',
    'Idempotency-Key không hợp lệ',
  ),
  NDX_PARENT_INVALID: row(400, 'client', false, 'ndx-parent names no exchange', 'ndx-parent không phải mã giao dịch'),
  NDX_TOKEN_MISSING: row(401, 'client', false, 'An access token is required', 'Thiếu mã truy cập'),
  NDX_TOKEN_INVALID: row(401, 'client', false, 'The access token is not valid here', 'Mã truy cập không hợp lệ'),
  NDX_TOKEN_EXPIRED: row(401, 'client', false, 'The access token has expired', 'Mã truy cập đã hết hạn'),
  NDX_TOKEN_REVOKED: row(401, 'client', false, 'The access token was revoked', 'Mã truy cập đã bị thu hồi'),
  NDX_CLIENT_UNKNOWN: row(
    401,
    'client',
    false,
    'No agreement names this client',
    'Hệ thống chưa có thoả thuận kết nối',
  ),
  NDX_ASSERTION_INVALID: row(
    401,
    'client',
    false,
    'The client assertion is not valid',
    'Chứng thực của hệ thống không hợp lệ',
  ),
  NDX_ASSERTION_REPLAYED: row(
    401,
    'client',
    false,
    'The client assertion was used before',
    'Chứng thực đã được sử dụng',
  ),
  NDX_GRANT_TYPE_UNSUPPORTED: row(
    400,
    'client',
    false,
    'Only client_credentials is supported',
    'Chỉ hỗ trợ client_credentials',
  ),
  NDX_SCOPE_UNKNOWN: row(400, 'client', false, 'A requested scope does not exist', 'Phạm vi yêu cầu không tồn tại'),
  NDX_SCOPE_MISSING: row(
    403,
    'client',
    false,
    'The access token lacks the scope',
    'Mã truy cập không có phạm vi cần thiết',
  ),
  NDX_SERVICE_NOT_GRANTED: row(
    403,
    'client',
    false,
    'The agreement does not grant this service',
    'Thoả thuận không cấp dịch vụ này',
  ),
  NDX_GRANT_NOT_YET_VALID: row(403, 'client', true, 'The grant is not valid yet', 'Quyền truy cập chưa có hiệu lực'),
  NDX_GRANT_EXPIRED: row(403, 'client', false, 'The grant has ended', 'Quyền truy cập đã hết hiệu lực'),
  NDX_GRANT_OUTSIDE_HOURS: row(
    403,
    'client',
    true,
    'The grant does not cover this hour',
    'Ngoài khung giờ được cấp quyền',
  ),
  NDX_MODE_NOT_GRANTED: row(
    403,
    'client',
    false,
    'The grant does not cover this mode',
    'Hình thức khai thác chưa được cấp quyền',
  ),
  NDX_PURPOSE_NOT_GRANTED: row(
    403,
    'client',
    false,
    'The purpose is not granted',
    'Mục đích khai thác chưa được cấp quyền',
  ),
  NDX_PROCEDURE_NOT_GRANTED: row(
    403,
    'client',
    false,
    'The procedure is not granted',
    'Thủ tục hành chính chưa được cấp quyền',
  ),
  NDX_FIELD_NOT_GRANTED: row(
    403,
    'client',
    false,
    'A requested field is not granted',
    'Trường dữ liệu yêu cầu chưa được cấp quyền',
  ),
  NDX_ROUTE_UNKNOWN: row(404, 'client', false, 'There is nothing at this address', 'Không tìm thấy địa chỉ này'),
  NDX_SERVICE_UNKNOWN: row(404, 'client', false, 'No such service', 'Không có dịch vụ này'),
  NDX_EXCHANGE_UNKNOWN: row(404, 'client', false, 'No such exchange of yours', 'Không có giao dịch này của hệ thống'),
  NDX_METHOD_UNSUPPORTED: row(
    405,
    'client',
    false,
    'The method is not supported here',
    'Phương thức không được hỗ trợ',
  ),
  NDX_SERVICE_RETIRED: row(
    410,
    'client',
    false,
    'This version of the service is retired',
    'Phiên bản dịch vụ đã ngừng cung cấp',
  ),
  NDX_BODY_TOO_LARGE: row(413, 'client', false, 'The body is too large', 'Nội dung vượt quá kích thước cho phép'),
  NDX_MEDIA_TYPE_UNSUPPORTED: row(
    415,
    'client',
    false,
    'The media type is not supported',
    'Kiểu nội dung không được hỗ trợ',
  ),
  NDX_REQUEST_INVALID: row(
    422,
    'client',
    false,
    'The request does not meet the contract',
    'Yêu cầu không đúng đặc tả dịch vụ',
  ),
  NDX_IDEMPOTENCY_KEY_REUSED: row(
    422,
    'client',
    false,
    'The Idempotency-Key was used for another body',
    'Idempotency-Key đã dùng cho nội dung khác',
  ),
  NDX_RATE_EXCEEDED: row(429, 'client', true, 'Too many requests at once', 'Gửi yêu cầu quá nhanh'),
  NDX_QUOTA_EXCEEDED: row(429, 'client', true, 'The daily quota is used up', 'Đã hết hạn mức trong ngày'),
  NDX_GUESSES_EXCEEDED: row(
    429,
    'client',
    true,
    'Too many mismatches for this subject',
    'Đối chiếu sai quá nhiều lần với chủ thể này',
  ),
  NDX_ADDRESS_LIMITED: row(
    429,
    'client',
    true,
    'Too many refused requests from this address',
    'Địa chỉ này gửi quá nhiều yêu cầu bị từ chối',
  ),
  NDX_HEADERS_TOO_LARGE: row(
    431,
    'client',
    false,
    'The header fields are too large',
    'Phần đầu yêu cầu vượt quá kích thước',
  ),
  /** Nobody hears it: it is for the log. The status is the one that other servers log for it. */
  NDX_CLIENT_GONE: row(499, 'client', true, 'The client hung up', 'Hệ thống yêu cầu đã ngắt kết nối'),
  NDX_INTERNAL_FAILURE: row(500, 'gateway', true, 'The gateway failed', 'Trục dữ liệu gặp lỗi'),
  NDX_REPLY_INVALID: row(
    502,
    'provider',
    true,
    'The provider’s reply breaks its contract',
    'Phản hồi của bên cung cấp không đúng đặc tả',
  ),
  NDX_PROVIDER_FAILED: row(
    502,
    'provider',
    true,
    'The provider failed to answer',
    'Bên cung cấp không xử lý được yêu cầu',
  ),
  NDX_PROVIDER_UNAVAILABLE: row(
    503,
    'provider',
    true,
    'The provider is failing; nothing was sent',
    'Bên cung cấp đang gặp sự cố; chưa có gì được gửi',
  ),
  NDX_PROVIDER_OVERLOADED: row(
    503,
    'provider',
    true,
    'Too many questions wait for the provider; nothing was sent',
    'Quá nhiều yêu cầu đang chờ bên cung cấp; chưa có gì được gửi',
  ),
  NDX_GATEWAY_OVERLOADED: row(503, 'gateway', true, 'The gateway is at its limit', 'Trục dữ liệu đang quá tải'),
  NDX_GATEWAY_STOPPING: row(503, 'gateway', true, 'This gateway is stopping', 'Máy chủ đang dừng'),
  NDX_BUS_UNAVAILABLE: row(
    503,
    'gateway',
    true,
    'The message bus is away; nothing was sent',
    'Trục thông điệp gián đoạn; chưa có gì được gửi',
  ),
  NDX_COUNTERS_UNAVAILABLE: row(
    503,
    'gateway',
    true,
    'The counters are away; nothing was sent',
    'Bộ đếm gián đoạn; chưa có gì được gửi',
  ),
  NDX_LEDGER_UNAVAILABLE: row(
    503,
    'gateway',
    true,
    'The ledger is away; how the exchange stands cannot be told',
    'Sổ cái gián đoạn; chưa thể cho biết trạng thái giao dịch',
  ),
  NDX_LEDGER_BEHIND: row(
    503,
    'gateway',
    true,
    'The ledger is too far behind; nothing was sent or given out',
    'Sổ cái chậm quá mức; chưa có gì được gửi hay cung cấp',
  ),
  NDX_EVIDENCE_UNAVAILABLE: row(
    503,
    'gateway',
    true,
    'Exchanges cannot be recorded now; nothing was sent or given out',
    'Chưa ghi lại được giao dịch; chưa có gì được gửi hay cung cấp',
  ),
  NDX_ISSUER_UNAVAILABLE: row(
    503,
    'gateway',
    true,
    'The token issuer’s keys cannot be had',
    'Không lấy được khoá của bên cấp mã truy cập',
  ),
  NDX_REQUEST_EXPIRED: row(
    504,
    'provider',
    true,
    'The deadline passed before the provider began',
    'Hết hạn trước khi bên cung cấp xử lý',
  ),
  NDX_REPLY_TIMEOUT: row(
    504,
    'provider',
    true,
    'No reply before the deadline; the outcome is unknown',
    'Chưa có phản hồi khi hết hạn; chưa rõ kết quả',
  ),
} satisfies Record<string, ErrorRow>)

export type ErrorCode = keyof typeof errorTable

/** What a client needs to understand an error, beside the row of the table. All of it reaches the client. */
export interface ErrorFacts {
  /** One sentence for this case, in English, without personal data. */
  detail?: string
  /** Faults in the body: JSON pointers (RFC 6901) and what is wrong at each. */
  errors?: readonly { pointer: string; detail: string }[]
  agreement?: string
  legalBasis?: string
  remedy?: { vi: string; en: string }
  /** Seconds until a retry makes sense; becomes Retry-After. */
  retryAfterSeconds?: number
  outcome?: 'unknown' | 'expired' | 'failed'
  /** The provider's own code, one of the contract's `errors`. */
  providerCode?: string
}

/**
 * The one error inner layers throw. `message` is for the log, `facts` for the client; neither holds personal data. Without a stack:
 * it is an outcome and no fault, its code says where it comes from, and taking one costs a tenth of a refusal.
 */
export class ExchangeError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, facts: ErrorFacts = {}, options: { cause?: unknown } = {}) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(facts.detail === undefined ? code : `${code}: ${facts.detail}`, options)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'ExchangeError'
    this.code = code
    this.facts = facts
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorTable, value)
