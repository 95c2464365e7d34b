// What stands for a person or an officer, in the form that it has on records.

export const pseudonymOf = (name: string | number): string => `202601.${String(name).padEnd(22, '_').slice(0, 22)}`
