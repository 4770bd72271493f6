"""Works that the experiment builds on, as the report cites them."""

REFERENCES = (
    "S. Prasanna, A. Rogers, A. Rumshisky. When BERT Plays the Lottery, All Tickets Are Winning. EMNLP 2020. "
    "[arXiv:2005.00561](https://arxiv.org/abs/2005.00561)",
    "P. Michel, O. Levy, G. Neubig. Are Sixteen Heads Really Better than One? NeurIPS 2019. "
    "[arXiv:1905.10650](https://arxiv.org/abs/1905.10650)",
    "J. Frankle, M. Carbin. The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks. ICLR 2019. "
    "[arXiv:1803.03635](https://arxiv.org/abs/1803.03635)",
    "T. Chen et al. The Lottery Ticket Hypothesis for Pre-trained BERT Networks. NeurIPS 2020. "
    "[arXiv:2007.12223](https://arxiv.org/abs/2007.12223)",
    "A. Wang et al. GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding. ICLR 2019. "
    "[arXiv:1804.07461](https://arxiv.org/abs/1804.07461)",
    "R. Misra, P. Arora. Sarcasm Detection using News Headlines Dataset. AI Open 4, 2023. "
    "[arXiv:2212.06035](https://arxiv.org/abs/2212.06035)",
    "C. J. Hutto, E. Gilbert. VADER: A Parsimonious Rule-Based Model for Sentiment Analysis of Social Media Text. "
    "ICWSM 2014.",
    "O. Kovaleva et al. Revealing the Dark Secrets of BERT. EMNLP 2019. "
    "[arXiv:1908.08593](https://arxiv.org/abs/1908.08593)",
    "C. Xu et al. Beyond Preserved Accuracy: Evaluating Loyalty and Robustness of BERT Compression. EMNLP 2021. "
    "[arXiv:2109.03228](https://arxiv.org/abs/2109.03228)",
    "G. Kobayashi et al. Attention is Not Only a Weight: Analyzing Transformers with Vector Norms. EMNLP 2020. "
    "[arXiv:2004.10102](https://arxiv.org/abs/2004.10102)",
)
