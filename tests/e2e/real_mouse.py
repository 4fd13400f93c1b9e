"""A mouse that QGIS cannot tell from a real one: events go to the X server, through its XTEST extension."""

import ctypes
import ctypes.util

from qgis.PyQt.QtCore import QEventLoop, QTimer

AT_ONCE = 0  # milliseconds that the X server waits


class Mouse:
    """Moves and clicks at positions of a widget."""

    def __init__(self):
        self._x = ctypes.CDLL(ctypes.util.find_library("X11"))
        self._test = ctypes.CDLL(ctypes.util.find_library("Xtst"))
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(None))

    def move(self, widget, position):
        where = widget.mapToGlobal(position)
        self._test.XTestFakeMotionEvent(self._display, -1, where.x(), where.y(), AT_ONCE)
        self._settle()

    def click(self, widget, position):
        self.drag(widget, [position])

    def drag(self, widget, positions):
        """Press at the first position, go along all of them, release at the last."""
        self.move(widget, positions[0])
        self._button(True)
        for position in positions[1:]:
            self.move(widget, position)
        self._button(False)

    def _button(self, down):
        self._test.XTestFakeButtonEvent(self._display, 1, down, AT_ONCE)
        self._settle()

    def _settle(self):
        self._x.XFlush(self._display)
        loop = QEventLoop()
        QTimer.singleShot(60, loop.quit)
        (loop.exec if hasattr(loop, "exec") else loop.exec_)()


def available():
    """Whether this machine has what it takes."""
    return bool(ctypes.util.find_library("X11") and ctypes.util.find_library("Xtst"))
