export interface ElectronRuntime {
  program: string;
  folder: string;
  version: string;
  source: string;
}
export function findElectron(options?: { testRuntime?: boolean }): Promise<ElectronRuntime | undefined>;
export function electronAtHand(): ElectronRuntime | undefined;
export function distWithoutDefaultApp(runtime: { folder: string }): string;
