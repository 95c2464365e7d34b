// How the Java adapter is started: by the `java` that the local stack has anyway, with the libraries that come with its Kafka. The
// adapter is one source file, which `java` compiles as it starts; a runtime without the compiler's module cannot.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureKafkaJars } from '#tests/stack/kafka-jars.ts'

const run = promisify(execFile)

export const contractsDir = join(import.meta.dirname, 'contracts')
/** Up to Java 17 a source file is read as the machine's locale says. */
const options = '-Dfile.encoding=UTF-8'
const source = join(import.meta.dirname, 'NotaryAdapter.java')

/** A shell line, but for the register's file; or what is missing. What can be installed here is installed. */
export async function findJavaAdapter(): Promise<{ line(registerFile: string): string } | { missing: string }> {
  try {
    const jars = await ensureKafkaJars()
    const { stdout } = await run('java', ['--list-modules'], { timeout: 30_000 })
    if (!/^jdk\.compiler@/m.test(stdout)) return { missing: 'this java has no compiler: a JDK is needed' }
    return { line: registerFile => `java ${options} -cp '${jars}/*' '${source}' '${contractsDir}' '${registerFile}'` }
  } catch (error) {
    return { missing: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}
