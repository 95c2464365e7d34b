// The report as a page that anybody can read: one file, no script, nothing loaded from elsewhere, in Vietnamese and English (two
// radio buttons choose). Every text from elsewhere is escaped.
import { type Bilingual } from '#contracts/contract.ts'
import { escapeText } from '../safe-text.ts'
import { style } from './page-style.ts'
import { type Report, type Summed } from './report.ts'

export function writePage(report: Report): string {
  const { table } = report
  return `<!doctype html>
<html lang="vi">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>NDX · Một ngày mô phỏng · A simulated day</title>
<style>${style}</style>
<body>
<input type="radio" name="language" id="vi" checked><label for="vi">Tiếng Việt</label>
<input type="radio" name="language" id="en"><label for="en">English</label>
<main>
${head(report)}
${section(words.published, figures(report))}
${section(words.hours, chart(report.hours))}
${section(words.bodies, sums(report.byBody, words.body))}
${section(words.services, sums(report.byService, words.outcome))}
${section(words.outcomes, outcomes(report))}
${section(words.officers, officers(report))}
<details class="whole"><summary><span>${both(words.table)}</span><span class="sums">${count(table.length)}</span></summary>${wholeTable(report)}</details>
${faults(report)}
${section(words.how, how(report))}
</main>
</body>
</html>
`
}

const localOffsetMs = 7 * 3_600_000

const words = {
  title: { vi: 'Một ngày của Nền tảng chia sẻ dữ liệu', en: 'A day of the data-exchange platform' },
  reconciled: {
    vi: 'Đối soát khớp: mọi giao dịch trong sổ cái đúng như bên hỏi đã nhận.',
    en: 'Reconciled: every exchange stands in the ledger as its client was told.',
  },
  unreconciled: { vi: 'ĐỐI SOÁT KHÔNG KHỚP', en: 'NOT RECONCILED' },
  published: { vi: 'Số liệu công bố và số liệu mô phỏng', en: 'Published and simulated figures' },
  hours: { vi: 'Thứ Hai, theo giờ', en: 'Monday, by the hour' },
  bodies: { vi: 'Bên hỏi', en: 'Who asked' },
  body: { vi: 'Đơn vị', en: 'Body' },
  services: { vi: 'Dịch vụ được hỏi', en: 'What was asked' },
  service: { vi: 'Dịch vụ', en: 'Service' },
  outcomes: { vi: 'Kết quả', en: 'What became of it' },
  outcome: { vi: 'Kết quả', en: 'Outcome' },
  officers: { vi: 'Điều nổi bật trong sổ cái', en: 'What stands out in the ledger' },
  officer: { vi: 'Cán bộ (bí danh)', en: 'Officer (pseudonym)' },
  people: { vi: 'Số người bị hỏi', en: 'People asked about' },
  guesses: { vi: 'Lần đoán bị từ chối', en: 'Guesses refused' },
  table: { vi: 'Bảng đầy đủ: bên hỏi × dịch vụ × kết quả', en: 'The whole table: client × service × outcome' },
  client: { vi: 'Hệ thống', en: 'Client' },
  questions: { vi: 'Câu hỏi', en: 'Questions' },
  answered: { vi: 'Được trả lời', en: 'Answered' },
  refused: { vi: 'Bị từ chối', en: 'Refused' },
  ledger: { vi: 'Sổ cái', en: 'Ledger' },
  figure: { vi: 'Chỉ tiêu', en: 'Figure' },
  official: { vi: 'Công bố', en: 'Published' },
  simulated: { vi: 'Mô phỏng', en: 'Simulated' },
  fullScale: { vi: 'Quy đổi cả ngày', en: 'At full scale' },
  uncounted: { vi: 'Cũng tham gia, ngoài 98 đơn vị công bố', en: 'Also taking part, beside the published 98' },
  faults: { vi: 'Điều không như dự kiến', en: 'What did not go as planned' },
  how: { vi: 'Cách làm', en: 'How this was made' },
  none: { vi: 'Không có', en: 'None' },
} satisfies Record<string, Bilingual>

function head({ totals, reconciliation, isReconciled, isAsPlanned, platform }: Report): string {
  const isGood = isReconciled && isAsPlanned
  const { sent, accepted, refused, repeated, ledger } = reconciliation
  const tile = (value: number, name: Bilingual): string => `<div><strong>${count(value)}</strong>${both(name)}</div>`
  return `<h1>${both(words.title)}</h1>
<p class="verdict ${isGood ? 'good' : 'bad'}">${both(isReconciled ? words.reconciled : words.unreconciled)}</p>
<div class="tiles">
${tile(totals.questions, words.questions)}
${tile(totals.answered, words.answered)}
${tile(totals.refused, words.refused)}
${tile(platform.clients, { vi: 'hệ thống kết nối', en: 'connected systems' })}
${tile(platform.services, { vi: 'dịch vụ', en: 'services' })}
</div>
<p>${both({
    vi: `Đã gửi ${count(sent)} = tiếp nhận ${count(accepted)} + từ chối ${count(refused)} + trả lời lại ${count(repeated)}. Sổ cái: tiếp nhận ${count(ledger.accepted)}, đã xong ${count(ledger.settled)}.`,
    en: `Sent ${count(sent)} = accepted ${count(accepted)} + refused ${count(refused)} + told again ${count(repeated)}. Ledger: accepted ${count(ledger.accepted)}, settled ${count(ledger.settled)}.`,
  })}</p>`
}

const figures = ({ figures: rows, notes }: Report): string =>
  `${table(
    [words.figure, words.official, words.simulated, words.fullScale],
    rows.map(({ title, published, simulated, atFullScale, days }) => [
      both(title),
      number(published),
      number(simulated),
      atFullScale === undefined
        ? ''
        : number(
            atFullScale,
            days === undefined ? undefined : { vi: `${count(days)} ngày như vậy`, en: `${count(days)} such days` },
          ),
    ]),
  )}${list(words.uncounted, notes.uncounted)}`

/** Bars of an SVG: heights in proportion, the hour under each, the number as its tooltip. */
function chart(hours: Report['hours']): string {
  const most = Math.max(1, ...hours.map(({ questions }) => questions))
  const bars = hours.map(({ hour, questions }, at) => {
    const height = Math.round((questions / most) * 140)
    const label = at % 3 === 0 ? `<text x="${at * 30 + 13}" y="166">${safe(hour)}</text>` : ''
    return `<g><title>${safe(hour)}: ${count(questions)}</title><rect x="${at * 30}" y="${150 - height}" width="26" height="${height}"/>${label}</g>`
  })
  return `<svg viewBox="-8 0 728 172" role="img">${bars.join('')}</svg>`
}

function sums(rows: readonly Summed[], first: Bilingual): string {
  const cells = ({ questions, answered, refused }: Omit<Summed, 'parts'>): string[] =>
    [questions, answered, refused].map(value => number(value))
  return rows
    .map(
      row => `<details><summary><span>${both(row.title)} <code>${safe(row.id)}</code></span>
<span class="sums">${count(row.questions)}</span></summary>
${table(
  [first, words.questions, words.answered, words.refused],
  row.parts.map(part => [`${both(part.title)} <code>${safe(part.id)}</code>`, ...cells(part)]),
)}</details>`,
    )
    .join('\n')
}

const outcomes = ({ byOutcome }: Report): string =>
  table(
    [words.outcome, words.questions],
    byOutcome.map(({ outcome, title, questions }) => [
      `${both(title)} <code>${safe(outcome)}</code>`,
      number(questions),
    ]),
  )

const officers = ({ officers: { asking, standOut, medianPeople } }: Report): string =>
  `<p>${both({
    vi: `${count(asking)} cán bộ đã hỏi; một nửa hỏi về không quá ${count(medianPeople)} người. Sổ cái chỉ có bí danh.`,
    en: `${count(asking)} officers asked; half of them about no more than ${count(medianPeople)} people. The ledger has pseudonyms only.`,
  })}</p>${table(
    [words.client, words.officer, words.questions, words.people, words.guesses],
    standOut.map(({ client, officer, questions, people, guessesRefused }) => [
      `<code>${safe(client)}</code>`,
      `<code>${safe(officer)}</code>`,
      number(questions),
      number(people),
      number(guessesRefused),
    ]),
  )}`

const wholeTable = (report: Report): string =>
  table(
    [words.client, words.service, words.outcome, words.questions, words.ledger],
    report.table.map(({ client, service, outcome, questions, ledger }) => [
      ...[client, service, outcome].map(text => `<code>${safe(text)}</code>`),
      number(questions),
      number(ledger),
    ]),
  )

function faults({ surprises, reconciliation: { differences } }: Report): string {
  const lines = [
    ...differences,
    ...surprises.map(one => `${one.client} ${one.service} ${one.kind}: ${one.wanted} → ${one.got} ${one.exchangeId}`),
  ]
  if (lines.length === 0) return ''
  return section(words.faults, `<ul>${lines.map(line => `<li><code>${safe(line)}</code></li>`).join('')}</ul>`)
}

function how({ simulation, machine, platform, notes }: Report): string {
  const { seed, scale, ratePerSecond, seconds, client } = simulation
  const startedAt = `${inVietnam(machine.startedAt)} (UTC+7)`
  const part =
    scale === undefined
      ? { vi: `${ratePerSecond}/giây trong ${seconds} giây`, en: `${ratePerSecond} a second for ${seconds} seconds` }
      : { vi: `${count(scale * 100)} % của một ngày`, en: `${count(scale * 100)} % of a day` }
  return `<p>${both({
    vi: `Mô phỏng ${part.vi}, hạt giống ${seed}; cùng hạt giống cho cùng một bảng. ${count(platform.nation)} người của quốc gia tổng hợp, không có ai là người thật. Tỷ trọng của từng đơn vị là giả định của mô phỏng, không phải số liệu công bố. Các bên hỏi giữ đúng tốc độ đã thoả thuận.`,
    en: `Simulates ${part.en}, seed ${seed}; the same seed gives the same table. The ${count(platform.nation)} people of the synthetic nation are nobody real. What part of the day is whose is the simulation’s assumption, not a published figure. Clients keep to their agreed rates.`,
  })}</p>
<p>${both({
    vi: `Chạy lúc ${startedAt}, ${machine.tookSeconds} giây, ${machine.perSecond} câu hỏi mỗi giây, trung vị ${machine.p50Ms} ms, p99 ${machine.p99Ms} ms; ${count(machine.sentAgain)} lần gửi lại.`,
    en: `Run ${startedAt}, ${machine.tookSeconds} seconds, ${machine.perSecond} questions a second, median ${machine.p50Ms} ms, p99 ${machine.p99Ms} ms; ${count(machine.sentAgain)} sent again.`,
  })}</p>
${list({ vi: 'Chỉ một hệ thống', en: 'One client only' }, client === undefined ? [] : [client])}
${list({ vi: 'Chỉ hỏi bằng ví dụ của đặc tả', en: 'Asked by their contracts’ examples alone' }, notes.byExample)}
${list({ vi: 'Chưa ai được hỏi', en: 'Nobody may ask' }, notes.unasked)}
${list({ vi: 'Bỏ qua vì chỉ có hiệu lực theo giờ', en: 'Left out, since they hold at certain hours only' }, notes.leftOut)}`
}

/** `yyyy-mm-dd hh:mm` */
const inVietnam = (time: string): string =>
  new Date(Date.parse(time) + localOffsetMs).toISOString().slice(0, 16).replace('T', ' ')

const section = (title: Bilingual, body: string): string => `<section><h2>${both(title)}</h2>${body}</section>`

const list = (title: Bilingual, names: readonly string[]): string =>
  names.length === 0 ? '' : `<p>${both(title)}: <code>${names.map(safe).join(', ')}</code></p>`

/** Cells are HTML already. A text and three numbers: on a narrow screen the text stands above them. */
function table(titles: readonly Bilingual[], rows: readonly (readonly string[])[]): string {
  const isOfNumbers = titles.map((_, at) => rows.some(row => row[at]?.startsWith('<span class="number"')))
  const heads = titles.map((title, at) => `<th${isOfNumbers[at] ? ' class="of-numbers"' : ''}>${both(title)}</th>`)
  const body = rows.map(row => `<tr>${row.map(cell => `<td>${cell}</td>`).join('')}</tr>`)
  const none = `<tr><td>${both(words.none)}</td></tr>`
  const isFigures = titles.length === 4 && isOfNumbers.slice(1).every(Boolean)
  const kind = isFigures ? ' class="figures"' : ''
  return `<div class="scroll"><table${kind}><thead><tr>${heads.join('')}</tr></thead><tbody>${body.join('\n') || none}</tbody></table></div>`
}

const both = ({ vi, en }: Bilingual): string =>
  vi === en ? safe(vi) : `<span lang="vi">${safe(vi)}</span><span lang="en">${safe(en)}</span>`

const number = (value: number, note?: Bilingual): string =>
  `<span class="number">${count(value)}</span>${note === undefined ? '' : `<small>${both(note)}</small>`}`

/** With narrow spaces between thousands, as both languages read it. */
const count = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: 4 }).replaceAll(',', '\u202f')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** The narrow spaces of numbers stay. */
const safe = (text: string): string => escapeText(text).replaceAll(/[&<>"']/g, character => entities[character] ?? '')
