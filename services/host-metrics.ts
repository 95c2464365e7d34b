// What a process that runs hosts shows Prometheus: how many questions ended how, by provider.
import { type OperationsAnswer } from '#runtime/operations-listener.ts'
import { type Host } from './host.ts'

type Shown = Pick<Host, 'provider' | 'counts' | 'isWorking' | 'held' | 'stillMs'>

export function renderHostMetrics(hosts: readonly Shown[]): OperationsAnswer {
  const lines = [
    '# HELP ndx_questions_total Questions handled by an adapter, by how they ended',
    '# TYPE ndx_questions_total counter',
    ...hosts.flatMap(({ provider, counts }) =>
      Object.entries(counts).map(
        ([outcome, count]) => `ndx_questions_total{provider="${provider}",outcome="${outcome}"} ${count}`,
      ),
    ),
    '# HELP ndx_adapter_working 1 while the adapter reads its topic',
    '# TYPE ndx_adapter_working gauge',
    ...hosts.map(({ provider, isWorking }) => `ndx_adapter_working{provider="${provider}"} ${Number(isWorking)}`),
    '# HELP ndx_adapter_held Questions in hand: being handled, waiting, or pausing after a rejection',
    '# TYPE ndx_adapter_held gauge',
    ...hosts.map(({ provider, held }) => `ndx_adapter_held{provider="${provider}"} ${held}`),
    '# HELP ndx_adapter_still_seconds How long no question in hand has been finished; 0 when there is none',
    '# TYPE ndx_adapter_still_seconds gauge',
    ...hosts.map(
      ({ provider, stillMs }) => `ndx_adapter_still_seconds{provider="${provider}"} ${(stillMs / 1000).toFixed(3)}`,
    ),
  ]
  return { type: 'text/plain; version=0.0.4; charset=utf-8', body: `${lines.join('\n')}\n` }
}
