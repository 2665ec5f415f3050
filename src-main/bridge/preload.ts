/**
 * The bridge of the window: the little that a page cannot know by itself. The page is a client of the API like any
 * other, so nothing of the queue passes here, and `ipcRenderer` is never handed out.
 */
import { contextBridge } from 'electron';

contextBridge.exposeInMainWorld('millrace', { desktop: true, platform: process.platform });
