"""The file that the framework runs for every visit and every press of a button.

It lies in a folder of its own: beside a folder called `pages` the framework would run the modules there by itself, past
the navigation and its question who it is.
"""

from streamlit_app.main import main

main()
