/** How far an export is. No I/O. */
export class ExportStore {
  running = $state(false);
  read = $state(0);
  /** Null where it is not known. */
  total = $state<number | null>(null);

  begin(): void {
    this.running = true;
    this.read = 0;
    this.total = null;
  }

  add(rows: number, total: number | null): void {
    this.read += rows;
    this.total = total;
  }

  end(): void {
    this.running = false;
  }
}
