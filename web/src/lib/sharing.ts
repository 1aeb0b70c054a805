// Shared projects: their members, and the sentences about them in both languages.
import { call } from "./api";
import type { Project } from "./types";

export type Role = "viewer" | "editor" | "owner";

export interface Member {
  name: string;
  role: "viewer" | "editor";
  created_at: string;
}

const address = (projectId: string, name: string): string =>
  `/projects/${projectId}/members/${encodeURIComponent(name)}`;

export const members = (projectId: string): Promise<{ members: Member[] }> => call(`/projects/${projectId}/members`);

export const setMember = (projectId: string, name: string, role: Member["role"]): Promise<Member> =>
  call(address(projectId, name), { method: "PUT", json: { role } });

export const removeMember = (projectId: string, name: string): Promise<void> =>
  call(address(projectId, name), { method: "DELETE" });

export const owns = (project: Project | null): boolean => project?.role === "owner";
export const edits = (project: Project | null): boolean => project !== null && project.role !== "viewer";

const en = {
  sharedBy: "shared by {n}",
  roles: { viewer: "you read along", editor: "you correct", owner: "" } as Record<Role, string>,
  title: "People",
  text: "Others can read this folder, or correct it with you. Ketav learns the handwriting of this folder from all corrections.",
  alone: "You are the only one so far.",
  name: "Name of the other person's account",
  nameHint: "As Ketav shows it to them, at “Sign out”.",
  role: "May",
  choices: { viewer: "read", editor: "read and correct" } as Record<Member["role"], string>,
  invite: "Invite",
  remove: "Remove",
  removeAsk: "Remove {n} from this folder? It disappears for them at once; their corrections stay.",
  leave: "Leave this folder",
  leaveAsk: "Leave this folder? Only its owner can invite you again. Your corrections stay.",
  viewerNote: "{n} lets you read this folder. Ask for the right to correct it if you want to help.",
  readOnly: "You read along: texts cannot be changed.",
  by: "by {n}",
  restoredBy: "restored by {n}",
  errors: {
    "unknown-account": "No account has this name. Ask the other person how Ketav writes it.",
    "member-is-owner": "This is your own name. You own this folder already.",
    "too-many-members": "A folder has at most 100 people. Remove one first.",
    "insufficient-role": "You may not do this in this folder. Its owner can allow it.",
  } as Record<string, string>,
};

const he: typeof en = {
  sharedBy: "בשיתוף מאת {n}",
  roles: { viewer: "בקריאה בלבד", editor: "עם תיקון", owner: "" },
  title: "אנשים",
  text: "אחרים יכולים לקרוא את התיקייה הזאת, או לתקן אותה איתכם. כתב לומד את כתב היד של התיקייה מכל התיקונים.",
  alone: "בינתיים רק אתם כאן.",
  name: "שם החשבון של האדם האחר",
  nameHint: "כפי שכתב מציג לו אותו, ליד „יציאה”.",
  role: "מותר",
  choices: { viewer: "לקרוא", editor: "לקרוא ולתקן" },
  invite: "הזמנה",
  remove: "הסרה",
  removeAsk: "להסיר את {n} מהתיקייה? היא תיעלם אצלו מיד; התיקונים שלו יישארו.",
  leave: "עזיבת התיקייה",
  leaveAsk: "לעזוב את התיקייה? רק בעליה יכול להזמין אתכם שוב. התיקונים שלכם יישארו.",
  viewerNote: "{n} מאפשר לכם לקרוא את התיקייה. בקשו הרשאה לתקן אם תרצו לעזור.",
  readOnly: "קריאה בלבד: אי אפשר לשנות את הטקסט.",
  by: "מאת {n}",
  restoredBy: "הוחזר על ידי {n}",
  errors: {
    "unknown-account": "אין חשבון בשם הזה. שאלו את האדם האחר איך כתב כותב אותו.",
    "member-is-owner": "זה השם שלכם. התיקייה כבר שלכם.",
    "too-many-members": "בתיקייה עד 100 אנשים. הסירו אדם אחד קודם.",
    "insufficient-role": "אין לכם הרשאה לפעולה הזאת בתיקייה. בעל התיקייה יכול לתת אותה.",
  },
};

export const sharingTexts = { en, he };
