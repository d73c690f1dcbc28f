/**
 * Judge prompts of other projects, byte for byte: published numbers depend on them. A field stands as `<<<name>>>` where the
 * originals insert it. Nothing else is changed.
 *
 * The prompts of MathVerse:
 *
 * MIT License
 *
 * Copyright (c) 2024 Renrui Zhang
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all
 * copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 *
 * The prompts of VLMEvalKit: Copyright 2023 VLMEvalKit Authors. Licensed under the Apache License, Version 2.0; text at
 * https://www.apache.org/licenses/LICENSE-2.0
 */

/** A judge prompt and where it is from. */
export interface JudgePrompt {
  /** File in its repository. */
  readonly source: string
  readonly licence: string
  readonly template: string
}

export const promptTexts = {
  'mathverse.extract': {
    source: 'ZrrSkywalker/MathVerse evaluation/prompts.py',
    licence: 'MIT, Copyright (c) 2024 Renrui Zhang',
    template: String.raw`I am providing you a response from a model to a math problem, termed 'Model Response'. You should extract the answer from the response as 'Extracted Answer'. Directly output the extracted answer with no explanation.

1.
Model response: 'Rounded to two decimal places, the perimeter of the sector is approximately:

(-2, 1)'
Extracted Answer: (-2, 1)

2.
Model response: 'at those points.

Therefore, the correct option that represents the meaning of the intersection points of the graphs is:

D. They give the solutions to the equation $f(t)=g(t)$.",'
Extracted Answer: D

3.
Model response: ' at 1 (there's a closed circle at y = 1), the range in interval notation is \((-4, 1]\).

Final values:
Domain: \((-3, 3]\)
Range: \((-4, 1]\)'
Extracted Answer: Domain: \((-3, 3]\)
Range: \((-4, 1]\)

4.
Model response: 'As it stands, I cannot provide the correct option letter because there isn't enough information to solve for 'y'.'
Extracted Answer: null

5.
Model response: 'Given that AB = 17.6 meters, we can now substitute into the equation:

d = 17.6 / cos(38°)

Therefore, to one decimal place, the distance d between Ned and Bart is approximately 22.3 meters.'
Extracted answer: 22.3

6.
Model response:  have all the coefficients for the quadratic function:
\( f(x) = ax^2 + bx + c \)
\( f(x) = -1x^2 - 2x + 1 \)

Therefore, the equation for the graphed function \( f \) is:
\( f(x) = -x^2 - 2x + 1 \)"'
Extracted answer: f(x) = -x^2 - 2x + 1

7.

Model response: '<<<response>>>'
Extracted Answer: `,
  },
  'mathverse.score': {
    source: 'ZrrSkywalker/MathVerse evaluation/prompts.py',
    licence: 'MIT, Copyright (c) 2024 Renrui Zhang',
    template: String.raw`Below are two answers to a math question. Question is [Question], [Standard Answer] is the standard answer to the question, and [Model_answer] is the answer extracted from a model's output to this question.  Determine whether these two answers are consistent.
Please note that only when the [Model_answer] completely matches the [Standard Answer] means they are consistent. For non-multiple-choice questions, if the meaning is expressed in the same way, it is also considered consistent, for example, 0.5m and 50cm.
If they are consistent, Judement is 1; if they are different, Judement is 0.

[Question]: Write the set of numbers represented on the number line in interval notation.
[Standard Answer]: (-2,1]
[Model_answer] : Extracted Answer: \((-2, 1)\)
Judgement: 0

[Question]: As shown in the figure, circle O has a radius 1.0, if angle BAC = 60.0, then the length of BC is ()
Choices:
A:2
B:2√{3}
C:√{3}
D:2√{2}
[Standard Answer]: C
[Model_answer] : B:2√{3}
Judgement: 0

[Question]: Find the domain and range of the function f using interval notation.
[Standard Answer]: domain: [-4, 0) and range: (-3, 1]
[Model_answer] : Range: \((-4, 1]\)
Judgement: 0

[Question]: As shown in the figure, circle O has a radius 1.0, if angle BAC = 60.0, then the length of BC is ()
Choices:
A:2
B:2√{3}
C:√{3}
D:2√{2}
[Standard Answer]: C
[Model_answer] : null
Judgement: 0

[Question]: Given the graph of the ellipse that intersects with x-axis at 9 and -9 and with y-axis at 3 and -3, determine its equation.A. \frac{x^2}{81} + \frac{y^2}{9} = 1 B. Can not determine.

[Standard Answer]: A
[Model_answer] : \frac{x^2}{81} + \frac{y^2}{9} = 1
Judgement: 1

[Question]: <<<question>>>
[Standard Answer]: <<<answer>>>
[Model_answer] : <<<extraction>>>
Judgement:`,
  },
  'vlmevalkit.mathvista.extract': {
    source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/mathvista.py',
    licence: 'Apache-2.0, Copyright 2023 VLMEvalKit Authors',
    template: `
Please read the following example.
Then extract the answer from the model response and type it at the end of the prompt.


Hint: Please answer the question requiring an integer answer and provide the final value,
e.g., 1, 2, 3, at the end.

Question: Which number is missing?

Model response: The number missing in the sequence is 14.

Extracted answer: 14


Hint: Please answer the question requiring a floating-point number with one decimal place and provide the final value,
e.g., 1.2, 1.3, 1.4, at the end.

Question: What is the fraction of females facing the camera?

Model response: The fraction of females facing the camera is 0.6,
which means that six out of ten females in the group are facing the camera.

Extracted answer: 0.6


Hint: Please answer the question requiring a floating-point number with two decimal places and provide the final value,
e.g., 1.23, 1.34, 1.45, at the end.

Question: How much money does Luca need to buy a sour apple candy and a butter-scotch candy? (Unit: $)

Model response: Luca needs $1.45 to buy a sour apple candy and a butterscotch candy.

Extracted answer: 1.45


Hint: Please answer the question requiring a Python list as an answer and provide the final list,
e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.

Question: Between which two years does the line graph saw its maximum peak?

Model response: The line graph saw its maximum peak between 2007 and 2008.

Extracted answer: [2007, 2008]


Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.

Question: What fraction of the shape is blue?

Choices: (A) 3/11 (B) 8/11 (C) 6/11 (D) 3/5

Model response: The correct answer is (B) 8/11.

Extracted answer: B

<<<question>>>
Model respone: <<<prediction>>>Extracted answer:`,
  },
  'vlmevalkit.mathvision.extract': {
    source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/mathv.py',
    licence: 'Apache-2.0, Copyright 2023 VLMEvalKit Authors',
    template: `
Please read the following example.
Then extract the answer from the model response and type it at the end of the prompt.


Hint: Please answer the question and provide the final answer at the end.

Question: Which number is missing?

Model response: The number missing in the sequence is 14.

Extracted answer: 14


Hint: Please answer the question and provide the final answer at the end.

Question: What is the fraction of females facing the camera?

Model response: The fraction of females facing the camera is 0.6,
which means that six out of ten females in the group are facing the camera.

Extracted answer: 0.6


Hint: Please answer the question and provide the final answer at the end.

Question: How much money does Luca need to buy a sour apple candy and a butter-scotch candy? (Unit: $)

Model response: Luca needs $1.45 to buy a sour apple candy and a butterscotch candy.

Extracted answer: 1.45


Hint: Please answer the question and provide the final answer at the end.

Question: Between which two years does the line graph saw its maximum peak?

Model response: The line graph saw its maximum peak between 2007 and 2008.

Extracted answer: [2007, 2008]


Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.

Question: What fraction of the shape is blue?

Choices: (A) 3/11 (B) 8/11 (C) 6/11 (D) 3/5

Model response: The correct answer is (B) 8/11.

Extracted answer: B

<<<question>>>
Model respone: <<<prediction>>>Extracted answer:`,
  },
  'vlmevalkit.mathverse.extract': {
    source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/mathverse.py',
    licence: 'Apache-2.0, Copyright 2023 VLMEvalKit Authors',
    template: String.raw`
I am providing you a response from a model to a math problem, termed 'Model Response'. You should extract the answer from the response as 'Extracted Answer'. Directly output the extracted answer with no explanation.



1.
Model response: 'Rounded to two decimal places, the perimeter of the sector is approximately:

(-2, 1)'
Extracted Answer: (-2, 1)



2.
Model response: 'at those points.

Therefore, the correct option that represents the meaning of the intersection points of the graphs is:

D. They give the solutions to the equation $f(t)=g(t)$.",'
Extracted Answer: D



3.
Model response: ' at 1 (there's a closed circle at y = 1), the range in interval notation is \((-4, 1]\).

Final values:
Domain: \((-3, 3]\)
Range: \((-4, 1]\)'
Extracted Answer: Domain: \((-3, 3]\)
Range: \((-4, 1]\)



4.
Model response: 'As it stands, I cannot provide the correct option letter because there isn't enough information to solve for 'y'.'
Extracted Answer: null



5.
Model response: 'Given that AB = 17.6 meters, we can now substitute into the equation:

d = 17.6 / cos(38°)

Therefore, to one decimal place, the distance d between Ned and Bart is approximately 22.3 meters.'
Extracted answer: 22.3



6.
Model response:  have all the coefficients for the quadratic function:
\( f(x) = ax^2 + bx + c \)
\( f(x) = -1x^2 - 2x + 1 \)

Therefore, the equation for the graphed function \( f \) is:
\( f(x) = -x^2 - 2x + 1 \)"'
Extracted answer: f(x) = -x^2 - 2x + 1


7.
Model response: '<<<prediction>>>'
Extracted Answer: `,
  },
  'vlmevalkit.mathverse.score': {
    source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/mathverse.py',
    licence: 'Apache-2.0, Copyright 2023 VLMEvalKit Authors',
    template: String.raw`
Below are two answers to a math question. Question is [Question], [Standard Answer] is the standard answer to the question, and [Model_answer] is the answer extracted from a model's output to this question.  Determine whether these two answers are consistent.
Please note that only when the [Model_answer] completely matches the [Standard Answer] means they are consistent. For non-multiple-choice questions, if the meaning is expressed in the same way, it is also considered consistent, for example, 0.5m and 50cm.
If they are consistent, Judement is 1; if they are different, Judement is 0.



[Question]: Write the set of numbers represented on the number line in interval notation.
[Standard Answer]: (-2,1]
[Model_answer] : Extracted Answer: \((-2, 1)\)
Judgement: 0



[Question]: As shown in the figure, circle O has a radius 1.0, if angle BAC = 60.0, then the length of BC is ()
Choices:
A:2
B:2√{{3}}
C:√{{3}}
D:2√{{2}}
[Standard Answer]: C
[Model_answer] : B:2√{{3}}
Judgement: 0



[Question]: Find the domain and range of the function f using interval notation.
[Standard Answer]: domain: [-4, 0) and range: (-3, 1]
[Model_answer] : Range: \((-4, 1]\)
Judgement: 0



[Question]: As shown in the figure, circle O has a radius 1.0, if angle BAC = 60.0, then the length of BC is ()
Choices:
A:2
B:2√{{3}}
C:√{{3}}
D:2√{{2}}
[Standard Answer]: C
[Model_answer] : null
Judgement: 0



    [Question]: <<<question_for_eval>>>
    [Standard Answer]: <<<answer>>>
    [Model_answer] : <<<extract>>>
    Judgement:`,
  },
  'vlmevalkit.wemath.match': {
    source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/multiple_choice.py',
    licence: 'Apache-2.0, Copyright 2023 VLMEvalKit Authors',
    template: `You are an AI assistant who will help me to match an answer with several options of a single-choice question. You are provided with a question, several options, and an answer, and you need to find which option is most similar to the answer. If the meaning of all options are significantly different from the answer, output Z. Your should output a single uppercase character in A, B, C, D, E, F, G (if they are valid options), and Z. 
Example 1: 
Question: <start>
What is the main object in image?
Options: A. teddy bear B. rabbit C. cat D. dog
<end>
Answer: <start>
a cute teddy bear
<end>
Your output: A
Example 2: 
Question: <start>
What is the main object in image?
Options: A. teddy bear B. rabbit C. cat D. dog
<end>
Answer: <start>
Spider
<end>
Your output: Z
Example 3: 
Question: <start>
<<<question>>>
Options: <<<options>>>
<end>
Answer: <start>
<<<prediction>>>
<end>
Your output: `,
  },
} as const satisfies Record<string, JudgePrompt>
