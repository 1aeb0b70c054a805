// The sentences about lines that are changed on the image of the page, in both languages.

export const en = {
  divideLine: "Divide a line",
  divideLineHint: "Click on the page where the line is to be divided.",
  divideNothing: "There is text on one side only. Click between two words of one line.",
  addBelow: "Add a line below",
  lineBoxes: "Lines on the page",
  lineBox: "Line {n}: {m}",
  keyAddBelow: "add a line below, for one that was not found",
};

export const he: typeof en = {
  divideLine: "חלוקת שורה",
  divideLineHint: "לחצו בדף במקום שבו השורה צריכה להתחלק.",
  divideNothing: "יש טקסט רק בצד אחד. לחצו בין שתי מילים של שורה אחת.",
  addBelow: "הוספת שורה מתחת",
  lineBoxes: "השורות בדף",
  lineBox: "שורה {n}: {m}",
  keyAddBelow: "הוספת שורה מתחת, לשורה שלא נמצאה",
};
